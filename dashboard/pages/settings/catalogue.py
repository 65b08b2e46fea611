"""Settings > Catalogue: new names to confirm, features with their flows, and each change shown before it is made."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from accounts.access import project_for
from accounts.models import Member, Project
from analytics import catalogue, catalogue_list, catalogue_queue
from analytics.catalogue import MODELS, CatalogueError, Edit, Entry, Plan
from analytics.models import CatalogueChange, Flow
from dashboard import formats
from dashboard.guard import project_page
from dashboard.pages.settings.page import shown

PAGE = "settings_catalogue"
ROWS = 100
QUEUE_ROWS = 100
CHANGES = 10
SHOWN_EDITS = 12
LABELS = {
    "alias_of_id": "is another name of", "feature_id": "feature", "owner": "owner", "cost_centre": "cost centre",
    "description": "description", "archived_at": "archived", "confirmed_at": "confirmed",
}  # fmt: skip


@project_page()
def catalogue_page(request: HttpRequest, member: Member) -> HttpResponse:
    """The queue, then features with their flows, a hundred flows a page."""
    project, now = member.project, timezone.now()
    search, feature = request.GET.get("q", "").replace("\0", "").strip()[:200], request.GET.get("feature", "")
    archived = request.GET.get("show") == "archived"
    found = catalogue_list.flows(project, search=search, feature=feature.replace("\0", ""), archived=archived)
    pages = Paginator(found, ROWS)
    page = pages.get_page(request.GET.get("page"))
    rows = list(page.object_list)
    new = [] if search or feature or archived else catalogue_queue.queue(project)
    names = [flow.name for flow in (*rows, *new)]
    figures = catalogue_list.figures(project, names, by="flow", now=now)
    known = catalogue_list.features(project, search=search, archived=archived)
    empty = [one for one in known[:1000] if not one.flow_count]  # type: ignore[attr-defined]  # annotated
    return shown(
        request, member, PAGE,
        queue=_queue(new, figures, now, project.zone), queue_total=len(new), days=catalogue_list.DAYS,
        waiting=_waiting(project), groups=_groups(rows, figures), of=page, total=pages.count,
        without=empty[:ROWS] if page.number == pages.num_pages and not feature else [],
        search=search, feature=feature, archived=archived, changes=changes(project, now),
        link=_own_link(search, feature, archived), choices=_choices(project),
    )  # fmt: skip


def _own_link(search: str, feature: str, archived: bool) -> str:
    """The page's own parameters, for the links of its pages."""
    given = {"q": search, "feature": feature, "show": "archived" if archived else ""}
    return urlencode({name: value for name, value in given.items() if value})


def _queue(new: list[Flow], figures: Any, now: datetime, zone: str) -> list[dict[str, Any]]:
    """New names, those with most calls first."""
    rows = [
        _row(flow, figures) | {"since": formats.moment(flow.first_seen_at, zone=zone, now=now)}
        for flow in new
    ]
    rows.sort(key=lambda row: (-row["count"], row["flow"].name))
    return rows[:QUEUE_ROWS]


def _row(flow: Flow, figures: Any) -> dict[str, Any]:
    found = figures.get(flow.name) or catalogue_list.Figures()
    return {
        "flow": flow, "feature": catalogue_list.feature_of(flow), "count": found.calls,
        "calls": formats.count(found.calls), "cost": formats.money(found.cost),
        "owner": catalogue_list.detail(flow, "owner"), "cost_centre": catalogue_list.detail(flow, "cost_centre"),
    }  # fmt: skip


def _groups(flows: list[Flow], figures: Any) -> list[dict[str, Any]]:
    """Flows under their features, in the order in which they come."""
    others = catalogue_list.other_names("flow", [flow.pk for flow in flows])
    groups: list[dict[str, Any]] = []
    for flow in flows:
        row = _row(flow, figures) | {"others": others.get(flow.pk, [])}
        if not groups or groups[-1]["feature"] != row["feature"]:
            groups.append({"feature": row["feature"], "rows": []})
        groups[-1]["rows"].append(row)
    return groups


def _waiting(project: Project) -> dict[str, Any]:
    """Names that found no room."""
    names = [name for name, _, _ in catalogue_queue.waiting_names(project)]
    known = [name for name in names if name]
    return {
        "names": known[:5],
        "count": f"{len(known)}{' or more' if '' in names else ''}",
        "any": bool(names),
    }


def _choices(project: Project) -> dict[str, list[str]]:
    """What fields suggest."""
    people = list(project.members.values_list("user__email", flat=True))
    owners = catalogue_list.known_details(project, "owner")
    return {
        "owners": list(dict.fromkeys((*owners, *people))),
        "cost_centres": catalogue_list.known_details(project, "cost_centre"),
        "features": list(catalogue_list.features(project).values_list("name", flat=True)[:500]),
    }


def changes(project: Project, now: datetime, entry: Entry | None = None) -> list[dict[str, Any]]:
    """The newest changes: of the whole catalogue, or those that a flow or feature was in."""
    found: QuerySet[CatalogueChange] = CatalogueChange.objects.filter(project=project).order_by("-id")
    if entry is not None:
        found = found.filter(edits__contains=[{"kind": catalogue.kind_of(entry), "id": entry.pk}])
    return [
        {"change": change, "when": formats.moment(change.at, zone=project.zone, now=now),
         "undone": formats.moment(change.undone_at, zone=project.zone, now=now) if change.undone_at else ""}
        for change in found[:CHANGES]
    ]  # fmt: skip


@project_page()
def entry_page(request: HttpRequest, member: Member, kind: str, number: int) -> HttpResponse:
    """One flow or feature: everything that can be said of it; as a fragment the short form below its row."""
    entry = _entry(member, kind, number)
    if request.method == "POST":
        project_for(request, slug=member.project.slug, role="editor")
        return _change(request, member, entry)
    if request.headers.get("HX-Request"):
        found = {"entry": entry, "kind": kind, "choices": _choices(member.project), "project": member.project,
                 "feature": catalogue_list.feature_of(entry) if isinstance(entry, Flow) else None,
                 "next": _next(request, member)}  # fmt: skip
        return render(request, "dashboard/settings/_catalogue_edit.html", found)
    return _entry_shown(request, member, entry)


def _entry_shown(request: HttpRequest, member: Member, entry: Entry, **more: Any) -> HttpResponse:
    project, now, kind = member.project, timezone.now(), catalogue.kind_of(entry)
    figures = catalogue_list.figures(project, [entry.name], by=kind, now=now).get(entry.name)
    found = figures or catalogue_list.Figures()
    return shown(
        request, member, PAGE, template="dashboard/settings/catalogue_entry.html", entry=entry, kind=kind,
        calls=formats.count(found.calls), cost=formats.money(found.cost), days=catalogue_list.DAYS,
        others=catalogue_list.other_names(kind, [entry.pk]).get(entry.pk, []), choices=_choices(project),
        feature=catalogue_list.feature_of(entry) if isinstance(entry, Flow) else None,
        targets=_targets(entry), changes=changes(project, now, entry), **more,
    )  # fmt: skip


def _targets(entry: Entry) -> list[str]:
    """What it could be merged into."""
    found = MODELS[catalogue.kind_of(entry)].objects.filter(
        project=entry.project, alias_of=None, archived_at=None
    )
    return list(found.exclude(pk=entry.pk).order_by("name").values_list("name", flat=True)[:1000])


def _entry(member: Member, kind: str, number: int) -> Entry:
    found = MODELS[kind].objects.select_related("alias_of").filter(project=member.project, pk=number).first()
    if found is None:
        raise Http404("There is no such flow or feature.")
    entry: Entry = found
    return entry


def _change(request: HttpRequest, member: Member, entry: Entry) -> HttpResponse:
    """First what would change; with `really` the change."""
    now = timezone.now()
    try:
        plan = _PLANS[request.POST.get("act", "")](entry, request.POST, now)
        if request.POST.get("really") == "1":
            catalogue.apply(plan, project=member.project, by=member.user, now=now)
            messages.info(request, plan.says)
            return redirect(_next(request, member))
    except KeyError as problem:
        raise Http404("There is no such change.") from problem
    except CatalogueError as problem:
        return _entry_shown(request, member, entry, problem=str(problem))
    return _entry_shown(request, member, entry, preview=_preview(member.project, plan, request, now))


def _describe(entry: Entry, given: Any, now: datetime) -> Plan:
    return catalogue.described(entry, {n: given[n] for n in catalogue.DETAILS if n in given}, now=now)


def _merge(entry: Entry, given: Any, now: datetime) -> Plan:
    name = given.get("into", "").strip()
    into = catalogue.find(entry.project, catalogue.kind_of(entry), name.replace("\0", ""))
    if into is None:
        raise CatalogueError(f"There is no {catalogue.kind_of(entry)} {name[:60]!r}. Choose one of the list.")
    return catalogue.merged(entry, into, now=now)


def _move(entry: Entry, given: Any, now: datetime) -> Plan:
    if not isinstance(entry, Flow):
        raise CatalogueError("Only flows belong to a feature.")
    return catalogue.moved([entry], given.get("feature", ""), now=now)


_PLANS: dict[str, Callable[[Entry, Any, datetime], Plan]] = {
    "describe": _describe,
    "rename": lambda entry, given, now: catalogue.renamed(entry, given.get("name", ""), now=now),
    "merge": _merge,
    "move": _move,
    "archive": lambda entry, _, now: catalogue.archived(entry, now=now),
    "restore": lambda entry, _, now: catalogue.archived(entry, now=now, back=True),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One edit in words."""

    name: str
    what: str
    before: str
    after: str


def _preview(project: Project, plan: Plan, request: HttpRequest, now: datetime) -> dict[str, Any]:
    names = _Names(project, plan)
    lines = [line for edit in plan.edits for line in names.lines(edit)]
    moving = catalogue_list.moving(project, plan, now=now)
    given = [
        (name, value) for name, value in request.POST.items() if name not in ("csrfmiddlewaretoken", "really")
    ]
    return {
        "says": plan.says.removesuffix("."), "lines": lines[:SHOWN_EDITS], "more": max(0, len(lines) - SHOWN_EDITS),
        "given": given, "moves": moving is not None,
        "lately": moving and _counted(moving.lately), "ever": moving and _counted(moving.ever),
    }  # fmt: skip


def _counted(found: catalogue_list.Figures) -> str:
    return f"{formats.count(found.calls)} call{'' if found.calls == 1 else 's'}, {formats.money(found.cost)}"


class _Names:
    """Numbers of flows and features as names."""

    def __init__(self, project: Project, plan: Plan) -> None:
        self.made = plan.made[1] if plan.made else ""
        self.known = {
            kind: dict(model.objects.filter(project=project).values_list("pk", "name"))
            for kind, model in MODELS.items()
        }

    def lines(self, edit: Edit) -> list[Line]:
        """What is different in one row; whether a name was seen before is no matter."""
        name = self.known[edit.kind].get(edit.id, self.made)
        return [
            Line(name, LABELS[column], self._text(edit.kind, column, edit.before.get(column)),
                 self._text(edit.kind, column, value))
            for column, value in edit.after.items()
            if value != edit.before.get(column) and column != "confirmed_at" and (edit.id or column != "archived_at")
        ]  # fmt: skip

    def _text(self, kind: str, column: str, value: Any) -> str:
        if column.endswith("_at"):
            return "yes" if value else "no"
        if column.endswith("_id"):
            of = "feature" if column == "feature_id" else kind
            return "none" if value is None else self.known[of].get(value, self.made)
        return value or "none"


@require_POST
@project_page("editor")
def confirm(request: HttpRequest, member: Member) -> HttpResponse:
    """Confirm the ticked names, or all that are in the queue; or give the ticked ones to a feature."""
    project, now, given = member.project, timezone.now(), request.POST
    ticked = [
        int(text) for text in given.getlist("flow") if text.isascii() and text.isdigit() and len(text) < 18
    ]
    everything = given.get("act") == "all"
    chosen = catalogue_queue.unconfirmed(project).filter(pk__in=ticked)
    flows = catalogue_queue.queue(project) if everything else list(chosen)
    try:
        if given.get("act") == "move":
            plan = catalogue.moved(flows, given.get("feature", ""), now=now)
        else:
            plan = catalogue.confirmed(flows, now=now)
        catalogue.apply(plan, project=project, by=member.user, now=now)
        messages.info(request, plan.says)
    except CatalogueError as problem:
        messages.info(request, str(problem))
    return redirect(PAGE, project.slug)


@require_POST
@project_page("editor")
def undo_change(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Take a change back."""
    if not CatalogueChange.objects.filter(project=member.project, pk=number).exists():
        raise Http404("There is no such change.")
    try:
        plan = catalogue.undo(number, project=member.project, by=member.user, now=timezone.now())
        messages.info(request, plan.says)
    except CatalogueError as problem:
        messages.info(request, str(problem))
    return redirect(_next(request, member))


def _next(request: HttpRequest, member: Member) -> str:
    """Where the form came from, as long as that is the catalogue."""
    own = reverse(PAGE, args=[member.project.slug])
    given = request.POST.get("next") or request.GET.get("next", "")
    return given if given == own or given.startswith((f"{own}?", f"{own}/")) else own

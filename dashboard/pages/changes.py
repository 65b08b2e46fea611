"""Quality, Changes: what changed, when, and what did it do? The ledger, and one change before and after."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.access import allows
from accounts.errors import ApiError
from accounts.models import Member
from analytics.changes_api import cursor_of, position_of
from analytics.changes_declare import WrongChangeError, declare, edit, read, withdraw
from analytics.changes_kinds import KINDS
from analytics.changes_list import WHO, Line, Wanted, one, page
from analytics.changes_models import Change
from analytics.models import Flow
from dashboard import change_answers as answers
from dashboard import scope as scopes
from dashboard.change_effects import OnPage, effects_on_page
from dashboard.change_rows import Row, row_of, rows_of
from dashboard.change_texts import KIND_WORDS, change_text, kind_text
from dashboard.flow_links import flow_path
from dashboard.frame import Choice, frame_for
from dashboard.guard import project_page
from dashboard.panels import Panel, State, filled
from dashboard.quality_tabs import tabs
from dashboard.scope import Scope

ROWS = 50
FLOWS = 500  # names offered in the form
FIELDS = ("kind", "flow", "environment", "before", "after", "link", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The list's own filters, from the URL."""

    kind: str
    who: str
    flow: str

    @property
    def any(self) -> bool:
        return bool(self.kind or self.who or self.flow)


@project_page()
def changes(request: HttpRequest, member: Member) -> HttpResponse:
    """The list, with the form that declares one."""
    scope = _scope(request, member, "changes")
    chosen = _filters(scope)
    wanted = replace(_wanted(scope, chosen), after=position_of(scope.value("after")), limit=ROWS)
    found = page(member.project, wanted)
    rows = rows_of(member.project, found.lines, now=scope.now)
    panel = Panel(id="changes", title="Changes", template="dashboard/_change_rows.html",
                  note="newest first; the first call that carried each, as calls tell")  # fmt: skip
    following = scope.url(after=cursor_of(found.next)) if found.next else ""
    make = partial(_body, scope, rows, chosen, following)
    context = {
        "panel": filled(panel, make, scope=scope),
        "answer": answers.ledger(scope, found.lines, rows, more=bool(found.next)),
        "tabs": tabs(member.project.slug, "changes"),
        "menus": _menus(scope, chosen),
        "clear": scope.url(kind=None, who=None, flow=None, after=None) if chosen.any else "",
        **_form(member, scope, {}),
        "frame": frame_for(member, now=scope.now, place="Quality", scope=scope, compares=False),
    }
    return render(request, "dashboard/changes.html", context)


def _scope(request: HttpRequest, member: Member, name: str, *args: Any) -> Scope:
    path = reverse(name, args=[member.project.slug, *args])
    return scopes.read(request.GET, project=member.project, now=timezone.now(), path=path)


def _filters(scope: Scope) -> Filters:
    kind, who = scope.value("kind"), scope.value("who")
    if kind and kind not in KINDS:
        raise ApiError(422, "bad_query", f"There is no kind {kind[:40]!r}.", field="kind",
                       hint=f"Use one of {', '.join(KINDS)}.")  # fmt: skip
    if who and who not in WHO:
        raise ApiError(
            422, "bad_query", f"There is no {who[:40]!r}.", field="who", hint="Use noticed or declared."
        )
    return Filters(kind=kind, who=who, flow=next(iter(scope.asked.values_of("flow")), ""))


def _wanted(scope: Scope, chosen: Filters) -> Wanted:
    return Wanted(
        flows=(chosen.flow,) if chosen.flow else (), kinds=(chosen.kind,) if chosen.kind else (), who=chosen.who,
        environments=scope.environments, start=scope.period.start, end=scope.period.end,
    )  # fmt: skip


def _body(scope: Scope, rows: tuple[Row, ...], chosen: Filters, following: str) -> Any:
    if rows:
        return {"rows": rows, "next": following}
    if chosen.any:
        less = page(
            scope.project, replace(_wanted(scope, Filters(kind="", who="", flow="")), limit=1000)
        ).lines
        return State(
            say=f"These filters leave nothing of {len(less)} changes."
            if less
            else "No change in this period.",
            ways=(Choice("Clear the filters", scope.url(kind=None, who=None, flow=None, after=None)),),
        )
    last = next(iter(page(scope.project, Wanted(environments=scope.environments, limit=1)).lines), None)
    note = "New versions, models and releases are noticed from the calls within a minute; deploys can be declared."
    if last is None:
        return State(say="No change was noticed or declared yet.", note=note)
    day = last.at.astimezone(ZoneInfo(scope.period.zone)).date()
    return State(
        say="No change in this period.",
        note=f"The last one came on {answers.day(last.at, scope)}: {kind_text(last)} {change_text(last)}.",
        ways=(
            Choice(
                "Go there",
                scope.with_period(**{"from": str(day), "until": str(day)}).replace("until", "until"),
            ),
        ),
    )


def _menus(scope: Scope, chosen: Filters) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
    """Kind, flow, who: each with all its values as links."""
    kinds = [("any kind", None), *((KIND_WORDS.get(name, name), name) for name in KINDS)]
    who = [("noticed or declared", None), *((name, name) for name in WHO)]
    names = (
        Flow.objects.filter(project=scope.project, alias_of=None)
        .order_by("name")
        .values_list("name", flat=True)
    )
    flows = [("any flow", None), *((name, name) for name in names[:FLOWS])]
    return (
        ((chosen.kind and KIND_WORDS.get(chosen.kind, chosen.kind)) or "any kind",
         tuple(Choice(label, scope.url(kind=value, after=None), (value or "") == chosen.kind)
               for label, value in kinds)),
        (chosen.flow or "any flow",
         tuple(Choice(label, scope.url(flow=value, after=None), (value or "") == chosen.flow)
               for label, value in flows)),
        (chosen.who or "noticed or declared",
         tuple(Choice(label, scope.url(who=value, after=None), (value or "") == chosen.who)
               for label, value in who)),
    )  # fmt: skip


def _form(member: Member, scope: Scope, given: dict[str, str]) -> dict[str, Any]:
    """What the form that declares or edits a change shows."""
    local = scope.now.astimezone(ZoneInfo(member.project.zone))
    names = (
        Flow.objects.filter(project=member.project, alias_of=None)
        .order_by("name")
        .values_list("name", flat=True)
    )
    return {
        "edits": allows(member.role, needed="editor"),
        "kinds": tuple((name, KIND_WORDS.get(name, name)) for name in KINDS),
        "flow_names": tuple(names[:FLOWS]),
        "given": {"at": f"{local:%Y-%m-%dT%H:%M}", "kind": "prompt", **given},
        "zone": member.project.zone,
    }


@require_POST
@project_page("editor")
def declare_change(request: HttpRequest, member: Member) -> HttpResponse:
    """Declare one by hand."""
    try:
        change, new = declare(
            member.project, read(_posted(request, member), by=_who(member), now=timezone.now())
        )
    except WrongChangeError as problem:
        messages.info(request, str(problem))
        return redirect(f"{reverse('changes', args=[member.project.slug])}#declare")
    messages.info(request, "The change is recorded." if new else "This change was recorded before.")
    return redirect("change", member.project.slug, change.pk)


@require_POST
@project_page("editor")
def edit_change(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Say something else of a declared one."""
    change = _declared(member, number)
    try:
        declared = read({**_posted(request, member), "by": change.by, "subject": change.subject},
                        by=change.by, now=timezone.now())  # fmt: skip
        edit(member.project, change, declared, actor=member.user.email)
        messages.info(request, "The change is recorded as it stands here.")
    except WrongChangeError as problem:
        messages.info(request, str(problem))
    return redirect("change", member.project.slug, number)


@require_POST
@project_page("editor")
def delete_change(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Take a declared one back."""
    withdraw(member.project, _declared(member, number), actor=member.user.email)
    messages.info(request, "The change is deleted; what calls tell of it is noticed again within a minute.")
    return redirect("changes", member.project.slug)


def _declared(member: Member, number: int) -> Change:
    change = Change.objects.filter(project=member.project, pk=number, noticed=False).first()
    if change is None:
        raise Http404("There is no such declared change.")
    return change


def _who(member: Member) -> str:
    return member.user.name or member.user.email


def _posted(request: HttpRequest, member: Member) -> dict[str, Any]:
    """The form as the API would have it: flows separated by commas, the time in the project's zone."""
    given: dict[str, Any] = {name: request.POST.get(name, "") for name in FIELDS}
    given["flows"] = [name.strip() for name in given.pop("flow").split(",") if name.strip()]
    at = request.POST.get("at", "")
    try:
        local = datetime.fromisoformat(at) if at else None
    except ValueError:
        return given | {"at": at}
    return given | ({"at": local.replace(tzinfo=ZoneInfo(member.project.zone)).isoformat()} if local else {})


@project_page()
def change(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """One change: what it was, and every measure and score of its flows before and after."""
    line = one(member.project, number) if number < 2**63 else None
    if line is None:
        raise Http404("There is no such change.")
    scope = _scope(request, member, "change", number)
    panel = filled(Panel(id="effects", title="Before and after", template="dashboard/_change_effects.html"),
                   partial(effects_on_page, member.project, line, now=scope.now), scope=scope)  # fmt: skip
    shown = panel.body if isinstance(panel.body, OnPage) else None
    context = {
        "line": line,
        "row": row_of(member.project, line, {}, now=scope.now),
        "title": f"{kind_text(line)} {change_text(line)}",
        "answer": answers.one(scope, line, shown.effects if shown else ()),
        "panel": replace(panel, note=shown.note) if shown else panel,
        "tabs": tabs(member.project.slug, "changes"),
        "facts": answers.facts(scope, line),
        "links": _links(scope, line),
        **_form(member, scope, _given(line, member.project.zone)),
        "frame": frame_for(member, now=scope.now, place="Quality"),
    }
    return render(request, "dashboard/change.html", context)


def _given(line: Line, zone: str) -> dict[str, str]:
    return {
        "kind": line.kind, "flow": ", ".join(line.flows), "environment": line.environment, "before": line.before or "",
        "after": line.after or "", "at": f"{line.at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}", "link": line.link,
        "note": line.note,
    }  # fmt: skip


def _links(scope: Scope, line: Line) -> Sequence[Choice]:
    """From the change to the calls that carry it."""
    slug = scope.project.slug
    dimension = KINDS[line.kind].dimension
    since = {"period": f"since:{line.id}"}
    place = {"flow": line.flows[0]} if len(line.flows) == 1 else {}
    environment = {"environment": line.environment} if line.environment else {}
    found = [Choice("Compare before and after", f"{reverse('compare', args=[slug])}?change={line.id}")]
    if len(line.flows) == 1:
        found.append(Choice("Flow", flow_path(slug, line.flows[0])))
    if dimension and line.after and line.seen:
        query = urlencode({**environment, **since, **place, dimension: line.after})
        found.append(Choice("Runs that carry it", f"{reverse('runs', args=[slug])}?{query}"))
    if dimension:
        query = urlencode({**environment, **since, **place, "group_by": dimension, "measures": "calls"})
        found.append(Choice("Share over time", f"{reverse('explore', args=[slug])}?{query}"))
    return found

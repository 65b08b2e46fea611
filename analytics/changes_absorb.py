"""One line for one change: a sight joins the declared change that means it, or the same sight on another flow.

Called under the lane's lock: of two who would make the same line, one waits.
"""

from datetime import datetime, timedelta

from django.db.models import Min, Q

from accounts.models import Project
from analytics.changes_kinds import KINDS
from analytics.changes_measured import Measured
from analytics.changes_models import NOTICED, Change, ChangeFlow
from analytics.changes_noticed import News

# A first call from a day before what was declared until a week after it is that change: clocks differ, deploys
# roll out slowly, sparse flows call late.
EARLY, LATE = timedelta(days=1), timedelta(days=7)
TOGETHER = timedelta(days=7)  # a release reaches a product's flows within days
SHORT = timedelta(hours=6)  # the same model or prompt on another flow so soon is one decision


def attach(project: Project, news: News, before: str, *, name: str, environment: str) -> Change:
    """Write a first sight down: on the declared change that it is, on one of other flows, or as a new line."""
    change = (
        _declared(project, news, name, environment)
        or _shared(project, news, before, environment)
        or _new(project, news, before, environment)
    )
    row = change.on_flows.filter(name=name, environment="", first_call_at=None).first()
    row = row or ChangeFlow(change=change, name=name)
    row.environment, row.first_call_at = environment, news.first_at
    row.seen_subject, row.seen_before, row.seen_after = news.subject, before, news.after
    row.save()
    _dated(change)
    return change


def move(row: ChangeFlow, first_at: datetime, before: str) -> None:
    """Its first call, or what was in use until then, is another one now."""
    row.first_call_at, row.seen_before = first_at, before
    row.save(update_fields=["first_call_at", "seen_before"])
    if row.change.noticed:
        Change.objects.filter(pk=row.change_id).update(before=before)
    _dated(row.change)


def detach(row: ChangeFlow) -> None:
    """No call carries it there any more; a noticed change that nothing carries is none."""
    change = row.change
    if row.told:
        row.environment, row.first_call_at, row.seen_before, row.seen_after = "", None, None, None
        row.save()
    else:
        row.delete()
    if change.noticed and not change.on_flows.exists():
        change.delete()
    else:
        _dated(change)


def absorb(change: Change) -> None:
    """A change that was just declared takes over the noticed ones that mean it."""
    names = set(change.on_flows.values_list("name", flat=True))
    rows = ChangeFlow.objects.select_related("change").filter(
        change__project=change.project_id, change__noticed=True, change__kind=change.kind,
        first_call_at__gte=change.at - EARLY, first_call_at__lte=change.at + LATE,
    )  # fmt: skip
    for row in rows:
        of_flow = not names or row.name in names
        of_place = change.environment in ("", row.environment)
        if of_flow and of_place and means(change, row.seen_subject, row.seen_after or ""):
            _take_over(change, row)
    _dated(change)


def means(change: Change, subject: str, value: str) -> bool:
    """Whether what was declared spells what calls carry: `v12`, `12`, `triage v12`, `triage@v12`."""
    said = _spelled(change.after or "")
    bare = _spelled(value)
    named = {f"{_spelled(subject)}{mark}{bare}" for mark in (" ", "@", ":")} if subject else set()
    return said in {bare, bare.removeprefix("v"), *named} or (said.removeprefix("v") == bare and bool(said))


def _spelled(text: str) -> str:
    return text.strip().casefold()


def _take_over(change: Change, row: ChangeFlow) -> None:
    noticed = row.change
    told = change.on_flows.filter(name=row.name, environment="", first_call_at=None).first()
    if told is not None:
        told.delete()
        row.told = True
    row.change = change
    row.save()
    if not noticed.on_flows.exists():
        noticed.delete()
    else:
        _dated(noticed)


def _declared(project: Project, news: News, name: str, environment: str) -> Change | None:
    found = Change.objects.filter(
        project=project, noticed=False, kind=news.kind.name, environment__in=("", environment),
        at__lte=news.first_at + EARLY, at__gte=news.first_at - LATE,
    ).order_by("-at", "-pk")  # fmt: skip
    for change in found.prefetch_related("on_flows"):
        names = {row.name for row in change.on_flows.all() if row.told}
        if (not names or name in names) and means(change, news.subject, news.after):
            return change
    return None


def _shared(project: Project, news: News, before: str, environment: str) -> Change | None:
    """The same first sight on another flow, near in time."""
    kind, reach = KINDS[news.kind.name], TOGETHER if news.kind.shared else SHORT
    same_before = Q() if kind.shared else Q(before=before)
    return Change.objects.filter(
        same_before, project=project, noticed=True, kind=kind.name, environment=environment,
        subject=news.subject, after=news.after, at__gte=news.first_at - reach, at__lte=news.first_at + reach,
    ).order_by("at", "pk").first()  # fmt: skip


def _new(project: Project, news: News, before: str, environment: str) -> Change:
    return Change.objects.create(
        project=project, kind=news.kind.name, environment=environment, subject=news.subject,
        before=before, after=news.after, at=news.first_at, by=NOTICED, noticed=True,
    )  # fmt: skip


def _dated(change: Change) -> None:
    """Its first call is the first of all its flows; what was noticed happened then."""
    first = change.on_flows.aggregate(first=Min("first_call_at"))["first"]
    change.first_call_at = first
    if change.noticed and first is not None:
        change.at = first
    change.save(update_fields=["first_call_at", "at"])
    Measured.objects.filter(change=change).delete()  # it is measured anew

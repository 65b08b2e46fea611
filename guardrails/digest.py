"""The weekly digest: the answer, what moved, changes, budgets at risk, unpriced, unattributed; one line if nothing."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import structlog
from django.conf import settings
from django.urls import reverse

from accounts.errors import ApiError
from accounts.models import Project
from analytics import formats
from analytics.answer import answer
from analytics.apart import apart
from analytics.changes_models import Change
from analytics.output import plain
from analytics.periods import Period, day_start, previous
from analytics.query import Filter, Query
from analytics.result import Result
from guardrails.alert_models import Alert, Channel, Delivery, DigestReader
from guardrails.budget_models import BudgetStanding

log = structlog.get_logger()
HOUR = 8  # on Mondays, in the project's zone
MOVED = Decimal("0.05")  # of the week before
FLOW_MATTERS = Decimal("0.01")  # of all spend of the week before
MOST = 5
MEASURES = ("cost", "calls", "unpriced_calls")


def queue_due(*, now: datetime) -> int:
    """Digests of projects whose Monday morning it is (or was, this week); how many were queued. May run any time."""
    queued = 0
    for project in Project.objects.order_by("pk"):
        monday = due_week(project, now)
        if monday is None:
            continue
        with apart("digest", project.slug):
            rows = _rows(project, monday, now)
            queued += len(Delivery.objects.bulk_create(rows, ignore_conflicts=True))
    return queued


def due_week(project: Project, now: datetime) -> date | None:
    """The Monday whose digest is due: from eight o'clock until the end of that day."""
    local = now.astimezone(ZoneInfo(project.zone))
    return local.date() if local.weekday() == 0 and local.hour >= HOUR else None


def _rows(project: Project, monday: date, now: datetime) -> list[Delivery]:
    channels = list(Channel.objects.filter(project=project, digest=True))
    readers = list(
        DigestReader.objects.filter(project=project, user__is_active=True, user__memberships__project=project)
    )
    keys = {f"digest:{monday}:channel:{one.pk}": {"channel": one} for one in channels}
    people = {f"digest:{monday}:user:{project.pk}:{one.user_id}": {"user_id": one.user_id} for one in readers}
    known = set(Delivery.objects.filter(key__in=[*keys, *people]).values_list("key", flat=True))
    wanted: dict[str, Any] = {key: to for key, to in {**keys, **people}.items() if key not in known}
    if not wanted:
        return []
    try:
        body = digest(project, monday=monday, now=now)
    except ApiError as problem:
        log.warning("digest not made", project=project.slug, problem=problem.message)
        return []  # the next tick tries again
    return [
        Delivery(project=project, purpose="digest", key=key, body=body, created_at=now, next_try_at=now, **to)
        for key, to in wanted.items()
    ]


def digest(project: Project, *, monday: date, now: datetime) -> dict[str, Any]:
    """The week that ended with this Monday, as {"json", "subject", "text"}. Raises ApiError 503."""
    period = Period(
        start=day_start(monday - timedelta(days=7), project.zone), end=day_start(monday, project.zone),
        zone=project.zone,
    )  # fmt: skip
    result = answer(_query(project, period), now=now)
    lines = {
        "moved": _moved(result), "changes": _changes(project, period, now), "budgets": _budgets(project),
        "alerts": _alerts(project, period), "gaps": _gaps(result),
    }  # fmt: skip
    first = _answer(result, period)
    url = settings.PUBLIC_URL + reverse("overview", args=[project.slug])
    told: dict[str, Any] = {"digest": True, "project": project.slug, "from": period.start, "to": period.end,
                            "answer": first, **lines, "url": url}  # fmt: skip
    return {
        "json": msgspec.json.encode(plain(told)).decode(),
        "subject": f"{project.name}, {formats.days(period.first_day, period.last_day)}: {first}"[:200],
        "text": _text(first, lines, url),
    }


def _query(project: Project, period: Period) -> Query:
    environment = Filter("environment", (project.main_environment,))
    return Query(project=project, period=period, base=previous(period), measures=MEASURES, group_by=("flow",),
                 filters=(environment,), order="-cost", limit=10_000)  # fmt: skip


def _text(first: str, lines: dict[str, list[str]], url: str) -> str:
    heads = {"moved": "What moved", "changes": "Changes", "budgets": "Budgets at risk", "alerts": "Alerts",
             "gaps": "Without a price or a flow"}  # fmt: skip
    if not any(lines.values()):
        return f"{first} Nothing moved, nothing changed, and no budget is at risk.\n\n{url}\n"
    parts = [first]
    for name, found in lines.items():
        parts += ["", heads[name], *(f"  {line}" for line in found)] if found else []
    return "\n".join([*parts, "", url, ""])


def _answer(result: Result, period: Period) -> str:
    """$41,702 spent in the week, $6,201 more than in the week before."""
    cost = result.totals["cost"]
    base = result.compare.totals["cost"] if result.compare else None
    days = formats.days(period.first_day, period.last_day, year=False)
    if not result.totals["calls"]:
        return f"No call in the week of {days}."
    spent = f"{formats.money_answer(cost)} spent in the week of {days}"
    if not base or cost is None:
        return f"{spent}."
    if abs(cost - base) < MOVED * base:
        return f"{spent}, as in the week before."
    way = "more" if cost > base else "less"
    return f"{spent}, {formats.money_answer(abs(cost - base))} {way} than in the week before."


def _moved(result: Result) -> list[str]:
    """The flows whose cost moved most, if by one percent of all spend."""
    total = (result.compare.totals["cost"] if result.compare else None) or Decimal(0)
    current, base = result.by_group(), result.base_by_group()
    moves = []
    for group in {**base, **current}:
        now, before = ((side.get(group, {}).get("cost") or Decimal(0)) for side in (current, base))
        if abs(now - before) >= max(FLOW_MATTERS * total, Decimal("0.01")):
            moves.append((abs(now - before), group[0], now, before))
    moves.sort(reverse=True)
    return [
        f"{name}: {formats.money(now)}, {formats.money(now - before, signed=True)}"
        for _, name, now, before in moves[:MOST]
    ]


def _changes(project: Project, period: Period, now: datetime) -> list[str]:
    rows = Change.objects.filter(project=project, at__gte=period.start, at__lt=period.end).order_by("-at")
    found = [
        f"{formats.moment(one.at, zone=project.zone, now=now)} {one.kind} {one.subject} "
        f"{one.before or formats.MISSING} to {one.after or formats.MISSING}".replace("  ", " ")
        for one in rows[:MOST]
    ]
    more = rows.count() - len(found)
    return [*found, f"and {more} more"] if more > 0 else found


def _budgets(project: Project) -> list[str]:
    rows: Sequence[BudgetStanding] = list(
        BudgetStanding.objects.filter(budget__project=project).exclude(state="ok").select_related("budget")
    )
    words = {"over": "is over its limit", "warned": "went past a threshold"}
    return [
        f"{one.budget.name} {words.get(one.state, one.state)}: {formats.money(one.spent)} of "
        f"{formats.money(one.budget.limit + one.carried)}"
        for one in rows[:MOST]
    ]


def _alerts(project: Project, period: Period) -> list[str]:
    fired = Alert.objects.filter(project=project, fired_at__gte=period.start, fired_at__lt=period.end)
    count, still = fired.count(), fired.filter(resolved_at=None).count()
    if not count:
        return []
    return [f"{count} fired{f', {still} of them still fire' if still else ''}"]


def _gaps(result: Result) -> list[str]:
    trust, found = result.trust, []
    if trust.unpriced_calls:
        found.append(f"{formats.count(trust.unpriced_calls)} calls without a price")
    if trust.attributed_share is not None and trust.attributed_share < 1:
        found.append(f"{formats.share(1 - trust.attributed_share)} of the calls name no flow")
    return found

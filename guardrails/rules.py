"""Alert rules: what may stand in one, read from JSON (API and pages alike), and given back as it was written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.errors import ApiError
from accounts.models import Project
from analytics.dimensions import RAW
from analytics.measures import MEASURES, Measure
from analytics.periods import QUARTER
from analytics.plan import planned
from analytics.query import Filter, Query, parse
from guardrails import bodies, spans
from guardrails.alert_models import Channel, Rule
from guardrails.bodies import wrong

FIELDS = (
    "name", "measure", "filters", "each", "condition", "window", "for", "renotify", "min_count", "channels",
    "depends_on", "mutes",
)  # fmt: skip
NO_DATA = "no_data"
SAME_HOURS = "same_hours"
MOST_RULES = 5_000
LONGEST_HOLD = timedelta(days=7)
SHORTEST_RENOTIFY = timedelta(minutes=15)
# What is counted to say how sure a figure is: of calls, of runs; users and customers are counts themselves.
COUNTED = {"calls": "calls", "runs": "runs"}
SCORES = ("score:", "pass_rate:")
CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Condition:
    """`kind`: above, below, change_over or no_data; `limit` its number (percent for change_over)."""

    kind: str
    limit: Decimal | None = None

    def to_json(self) -> Any:
        """As the contract writes it."""
        if self.limit is None:
            return NO_DATA
        number: Any = int(self.limit) if self.limit == self.limit.to_integral_value() else float(self.limit)
        return {self.kind: number} | ({"against": SAME_HOURS} if self.kind == "change_over" else {})


def measure_of(name: str) -> Measure:
    """The measure that a rule watches. Raises KeyError when it is no longer there."""
    return MEASURES[name]


def counted_by(measure: Measure) -> str:
    """The measure that counts what this one is made from, "" where nothing does."""
    if measure.name.startswith(SCORES):
        return f"score_count:{measure.name.partition(':')[2]}"
    return COUNTED.get(measure.family, "")


def condition_of(rule: Rule) -> Condition:
    """A stored rule's condition."""
    if rule.condition == NO_DATA:
        return Condition(NO_DATA)
    kind = next(name for name in ("above", "below", "change_over") if name in rule.condition)
    return Condition(kind, Decimal(str(rule.condition[kind])))


def filters_of(rule: Rule) -> tuple[Filter, ...]:
    """A stored rule's filters as a question has them; the main environment unless it names another or all (`*`)."""
    found = []
    for name, values in rule.filters.items():
        wanted = tuple(value for value in values if not value.startswith("!"))
        unwanted = tuple(value[1:] for value in values if value.startswith("!"))
        found += [Filter(name, wanted)] if wanted else []
        found += [Filter(name, unwanted, negated=True)] if unwanted else []
    if "environment" not in rule.filters:
        found.append(Filter("environment", (rule.project.main_environment,)))
    return tuple(one for one in found if one.values != ("*",))


def body_of(rule: Rule) -> dict[str, Any]:
    """A rule as the API gives it."""
    return {
        "id": rule.pk, "name": rule.name, "measure": rule.measure, "filters": rule.filters,
        "each": rule.each or None, "condition": rule.condition, "window": rule.window, "for": rule.hold or None,
        "renotify": rule.renotify or None, "min_count": rule.min_count, "channels": rule.channels,
        "depends_on": rule.depends_on.name if rule.depends_on else None, "mutes": rule.mutes,
    }  # fmt: skip


def read(given: Mapping[str, Any], *, project: Project, now: datetime, known: Rule | None = None) -> Rule:
    """An unsaved rule (or `known`, changed) from JSON. Raises ApiError 400 that names field and remedy."""
    bodies.only(given, ("id", *FIELDS))
    rule = known or Rule(project=project, created_at=now)
    rule.name = bodies.text(given, "name", most=100)
    rule.measure = bodies.text(given, "measure", most=200)
    rule.filters = _filters(given)
    rule.each = bodies.text(given, "each", most=100, default="")
    rule.window = bodies.text(given, "window", most=20, default="1h")
    rule.hold = _span(given, "for", longest=LONGEST_HOLD)
    rule.renotify = _span(given, "renotify", shortest=SHORTEST_RENOTIFY)
    rule.min_count = bodies.whole(given, "min_count", most=1_000_000_000)
    rule.channels = _channels(given, project)
    rule.depends_on = _depends_on(given, project, known)
    rule.mutes = _mutes(given)
    rule.updated_at = now
    _check_measure(rule, project, now)
    rule.condition = _condition(given, rule).to_json()
    return rule


def _filters(given: Mapping[str, Any]) -> dict[str, list[str]]:
    value = given.get("filters") or {}
    if not isinstance(value, dict) or len(value) > 20:
        raise wrong("filters", "filters is no object.", 'Give filters as {"flow": ["support-triage"]}.')
    found = {}
    for name in value:
        found[name] = [one for one in bodies.texts(value, name, most=100) if one not in ("", "!")]
        if not found[name]:
            raise wrong(
                "filters", f"The filter {name[:60]!r} has no value.", "Give it values, or leave it out."
            )
    return found


def _span(
    given: Mapping[str, Any],
    field: str,
    *,
    longest: timedelta = spans.LONGEST,
    shortest: timedelta = timedelta(0),
) -> str:
    text = bodies.text(given, field, most=20, default="")
    if not text:
        return ""
    hint = f"Write {field} like 15min, 4h or 1d."
    try:
        found = spans.span(text)
    except ValueError as problem:
        raise wrong(field, f"{text!r} is no length of time.", hint) from problem
    if not shortest <= found <= longest:
        raise wrong(field, f"{field} is out of range.", f"Give {said(shortest)} to {said(longest)}.")
    return text


def said(length: timedelta) -> str:
    """A length of time as rules write it."""
    minutes = int(length.total_seconds() // 60)
    if minutes and minutes % 1440 == 0:
        return f"{minutes // 1440}d"
    return f"{minutes // 60}h" if minutes and minutes % 60 == 0 else f"{minutes}min"


def _channels(given: Mapping[str, Any], project: Project) -> list[str]:
    names = bodies.texts(given, "channels", most=20)
    known = set(Channel.objects.filter(project=project, name__in=names).values_list("name", flat=True))
    for name in names:
        if name not in known:
            raise wrong(
                "channels", f"There is no channel {name[:60]!r}.", "Create it first: POST /v1/channels."
            )
    return names


def _depends_on(given: Mapping[str, Any], project: Project, known: Rule | None) -> Rule | None:
    name = bodies.text(given, "depends_on", most=100, default="")
    if not name:
        return None
    found = Rule.objects.filter(project=project, name=name).first()
    if found is None:
        raise wrong("depends_on", f"There is no rule {name!r}.", "Name a rule of this project.")
    above: Rule | None = found
    while above is not None:
        if known is not None and above.pk == known.pk:
            raise wrong("depends_on", "The rules would depend on each other.", "Leave one of them out.")
        above = above.depends_on
    return found


def _mutes(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    value = given.get("mutes") or []
    hint = 'Write {"days": ["sat", "sun"], "from": "22:00", "to": "06:00"}, or {"from", "until"} with times.'
    if not isinstance(value, list) or len(value) > 20 or not all(isinstance(one, dict) for one in value):
        raise wrong("mutes", "mutes is no list of objects.", hint)
    for one in value:
        if not (_is_dated(one) if "until" in one else _is_recurring(one)):
            raise wrong("mutes", "This is no mute window.", hint)
    return value


def _is_recurring(one: dict[str, Any]) -> bool:
    days = one.get("days", list(spans.DAYS))
    clocks = all(isinstance(one.get(end), str) and CLOCK.fullmatch(one[end]) for end in ("from", "to"))
    known = isinstance(days, list) and bool(days) and all(day in spans.DAYS for day in days)
    return clocks and known and set(one) <= {"days", "from", "to"}


def _is_dated(one: dict[str, Any]) -> bool:
    try:
        ends = [datetime.fromisoformat(one[end]) for end in ("from", "until") if one.get(end)]
    except (TypeError, ValueError):
        return False
    return set(one) <= {"from", "until"} and all(end.tzinfo is not None for end in ends)


def _check_measure(rule: Rule, project: Project, now: datetime) -> None:
    """Whether rollups answer this measure by these dimensions over this window."""
    _check_window(rule)
    params = {"measures": [rule.measure], "group_by": [rule.each], **rule.filters}
    try:
        asked = parse(params, project=project, now=now)
        if "," in rule.measure or len(asked.group_by) > 1:
            raise wrong("measure", "A rule watches one measure by one dimension.", "Make a rule for each.")
        period = spans.closed(rule.window, until=now, zone=project.zone)
        counted = counted_by(measure_of(rule.measure))
        measures = tuple(dict.fromkeys((rule.measure, *([counted] if counted else []))))
        query = Query(project=project, period=period, measures=measures, group_by=asked.group_by,
                      filters=asked.filters)  # fmt: skip
        plan = planned(query, period, now=now, trust=False)
    except ApiError as problem:
        field = FIELD_OF.get(problem.field or "", "filters")
        raise ApiError(400, "invalid", problem.message, field=field, hint=problem.hint) from problem
    if any(fetch.source.name == RAW for fetch in plan.fetches):
        raise wrong(
            "each" if rule.each else "filters",
            f"{rule.measure} cannot be watched by these dimensions: only calls themselves know them together.",
            "Watch it by flow, feature, model, provider, or cost and errors by customer.",
        )
    if plan.notes:
        raise wrong("window", plan.notes[0], f"Use a window of {', '.join(spans.CALENDAR)}.")


FIELD_OF = {
    "measures": "measure", "group_by": "each", "measure": "measure", "from": "window", "to": "window",
    "window": "window", "grain": "window",
}  # fmt: skip


def _check_window(rule: Rule) -> None:
    if rule.window in spans.CALENDAR:
        return
    hint = f"Write a multiple of 15min up to 28d, or one of {', '.join(spans.CALENDAR)}."
    try:
        length = spans.span(rule.window)
    except ValueError as problem:
        raise wrong("window", f"{rule.window!r} is no window.", hint) from problem
    if not QUARTER <= length <= spans.LONGEST or length % QUARTER:
        raise wrong("window", "Windows are made of quarter hours.", hint)


def _condition(given: Mapping[str, Any], rule: Rule) -> Condition:
    value = given.get("condition")
    hint = '{"above": 4000}, {"below": 0.9}, {"change_over": 50, "against": "same_hours"} or "no_data".'
    if value == NO_DATA:
        return _checked(Condition(NO_DATA), rule)
    kinds = [name for name in ("above", "below", "change_over") if isinstance(value, dict) and name in value]
    if len(kinds) != 1 or not isinstance(value, dict) or set(value) - {*kinds, "against"}:
        raise wrong("condition", "The condition is not one of those known.", f"Write {hint}")
    try:
        limit = bodies.number(value, kinds[0])
    except ApiError as problem:
        raise wrong("condition", problem.message, problem.hint or hint) from problem
    against = value.get("against")
    if (kinds[0] == "change_over") != (against is not None) or against not in (None, SAME_HOURS):
        raise wrong("condition", "change_over needs against, and only it.", f"Write {hint}")
    return _checked(Condition(kinds[0], limit), rule)


def _checked(condition: Condition, rule: Rule) -> Condition:
    if condition.kind != "above" and rule.window in spans.CALENDAR:
        raise wrong("window", "A running day, week or month can only be above something.",
                    "Use a window such as 1d.")  # fmt: skip
    if condition.kind == "change_over":
        if spans.span(rule.window) > spans.LONGEST_COMPARED:
            raise wrong("window", "So far back the same hours are no longer known.", "Use at most 6d.")
        if condition.limit is not None and condition.limit <= 0:
            raise wrong("condition", "A change is more than 0 percent.", "Write percent: 50.")
    return condition

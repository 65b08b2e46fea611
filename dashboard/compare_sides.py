"""What Compare compares: two periods, two variants, or before and after a change. The URL says all of it.

`a.<dimension>` and `b.<dimension>` filter one side, `a.from`, `a.until`, `a.period` give it a period of its own;
everything else holds for both. Without any of it B is the page's period and A what that is compared with.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from django.http import QueryDict

from analytics.changes_kinds import KINDS
from analytics.changes_list import Line
from analytics.effects import effects_of
from analytics.effects_read import TAKEN_OVER
from analytics.periods import Period
from dashboard import scope as scopes
from dashboard import spans_of_time
from dashboard.change_texts import short
from dashboard.scope import SIDES, TIMES, Scope

OWN = ("by", "change", "compare", *TIMES)
PERIODS, VARIANTS, CHANGE = "periods", "variants", "change"
UNEQUAL = 1.05  # by how much the sides may differ in length before it is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side: its letter, what tells it from the other, and the scope in which its figures are asked and linked."""

    letter: str
    label: str
    scope: Scope

    @property
    def period(self) -> Period:
        """Its stretch of time."""
        return self.scope.period


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Both sides, how they were chosen, and what a reader has to know of them."""

    mode: str
    a: Side
    b: Side
    notes: tuple[str, ...] = ()
    line: Line | None = None
    flow: str = ""  # of a change: the flow that is looked at


def own_filters(scope: Scope, side: str) -> dict[str, tuple[str, ...]]:
    """The parameters of one side, without its letter."""
    return {name.removeprefix(side): values for name, values in scope.params.items() if name.startswith(side)}


def pair(scope: Scope) -> Pair | None:
    """Two periods or two variants; None where nothing says what A is. Raises ApiError 422 for what cannot be read."""
    given = {side: own_filters(scope, side) for side in SIDES}
    differ = any(name not in TIMES for names in given.values() for name in names)
    if any(given.values()):
        a, b = (_scope(scope, given[side]) for side in SIDES)
        if not differ and not _has_time(given["a."]) and scope.base is not None:
            a = within(scope, scope.base)
        mode = VARIANTS if differ else PERIODS
    elif scope.base is None:
        return None
    else:
        a, b, mode = within(scope, scope.base), _scope(scope, {}), PERIODS
    sides = (a, b)
    same = a.period == b.period
    labels = [
        _label(scope, one, given[letter], dates=not same) for one, letter in zip(sides, SIDES, strict=True)
    ]
    return Pair(
        mode=mode,
        a=Side(letter="A", label=labels[0], scope=a),
        b=Side(letter="B", label=labels[1], scope=b),
        notes=(*_lengths(a.period, b.period), *scope.asked.notes),
    )


def around(scope: Scope, line: Line) -> Pair | None:
    """Before and after a change, by the windows that its effects are measured in; None where it is too early."""
    flow = next(iter(scope.asked.values_of("flow")), line.flows[0] if line.flows else "")
    found = effects_of(scope.project, line, now=scope.now, flows=(flow,) if flow else ("",))[0]
    if found.windows is None:
        return None
    params = {name: values for name, values in scope.params.items() if not scopes.is_own(name)}
    params |= {"flow": (flow,)} if flow else {}
    params |= {"environment": (line.environment,)} if line.environment else {}
    divided = found.share is not None and found.share < TAKEN_OVER
    values = (line.before, line.after) if divided else (None, None)
    sides = [
        within(_given(scope, {**params, **_carrying(line, value)}), period)
        for value, period in zip(values, (found.windows.before, found.windows.after), strict=True)
    ]
    names = ("before", "after")
    notes = (
        *found.windows.notes,
        *(
            (
                f"Only calls that carry {short(line.before or '')} and {short(line.after or '')}: "
                "both are in use.",
            )
            if divided
            else ()
        ),
    )
    made = [
        Side(letter=letter, label=f"{name}, {spans_of_time.dates(one.period, year=False)}", scope=one)
        for letter, name, one in zip("AB", names, sides, strict=True)
    ]
    return Pair(mode=CHANGE, a=made[0], b=made[1], notes=notes, line=line, flow=flow)


def _carrying(line: Line, value: str | None) -> dict[str, tuple[str, ...]]:
    dimension = KINDS[line.kind].dimension
    if not dimension or not value:
        return {}
    named = dimension == "prompt_version" and line.subject
    return {dimension: (value,), **({"prompt": (line.subject,)} if named else {})}


def _has_time(given: Mapping[str, object]) -> bool:
    return any(name in given for name in TIMES)


def _scope(scope: Scope, own: Mapping[str, tuple[str, ...]]) -> Scope:
    """The page's scope with one side's parameters in place of the common ones."""
    params = {name: values for name, values in scope.params.items() if not scopes.is_own(name)}
    if _has_time(own):
        params = {name: values for name, values in params.items() if name not in TIMES}
    return _given(scope, {**params, **own})


def _given(scope: Scope, params: Mapping[str, tuple[str, ...]]) -> Scope:
    given = QueryDict(mutable=True)
    for name, values in params.items():
        given.setlist(name, list(values))
    given["compare"] = scopes.NO_COMPARISON
    return scopes.read(given, project=scope.project, now=scope.now, path=scope.path)


def within(scope: Scope, period: Period) -> Scope:
    """The same scope in another period, without a comparison."""
    params = {
        name: values for name, values in scope.params.items() if name not in OWN and not scopes.is_own(name)
    }
    edges = {"from": (_edge(period, start=True),), "to": (_edge(period, start=False),)}
    asked = replace(scope.asked, period=period, base=None, compare="")
    return replace(scope, params={**params, **edges, "compare": (scopes.NO_COMPARISON,)}, asked=asked)


def _edge(period: Period, *, start: bool) -> str:
    local = (period.start if start else period.end).astimezone(period.tz)
    return str(local.date()) if (local.hour, local.minute) == (0, 0) else local.isoformat()


def _label(scope: Scope, side: Scope, own: Mapping[str, tuple[str, ...]], *, dates: bool) -> str:
    """What tells a side from the other: its own filters, its dates where they differ."""
    said = [_value(value) for name, values in own.items() if name not in TIMES for value in values]
    if dates or not said:
        said.append(
            spans_of_time.dates(side.period, year=side.period.first_day.year != scope.period.last_day.year)
        )
    return ", ".join(said)


def _value(value: str) -> str:
    return f"not {short(value[1:])}" if value.startswith("!") else short(value)


def _lengths(a: Period, b: Period) -> Iterator[str]:
    first, second = (((one.until or one.end) - one.start).total_seconds() for one in (a, b))
    if max(first, second) > UNEQUAL * max(1.0, min(first, second)):
        days = [f"{seconds / 86_400:.1f}".removesuffix(".0") for seconds in (first, second)]
        yield f"A has {days[0]} days and B {days[1]}: amounts are not of equal stretches."
    if spans_of_time.weekdays_differ(b, a):
        yield "The sides hold different weekdays."

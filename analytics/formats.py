"""One formatter per unit, for page, chart, export label and e-mail. Pure. Missing is an en dash, never 0.

Amounts come as Decimal or int, rates and latencies as float; None is unknown. Text only: colours and marks
are the templates' business. `dashboard.formats` is the same module for pages.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

Number = Decimal | int | float

MISSING = "–"
MINUS = "−"
NBSP = "\u00a0"
WHOLE_UNITS_FROM = 1000  # an answer's $41,702 needs no cents
UNIT_COST_DECIMALS = (2, 4, 6)
SUFFIXES = ((Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))


def plain(value: Number, decimals: int = 0, *, signed: bool = False) -> str:
    """Commas, a fixed number of decimals, U+2212 as minus; `signed` puts + before what is above zero.

    A value that rounds to zero has no sign. Halves go to even, as Postgres' numeric and the CSV do not, but
    sums of rounded halves stay nearest: totals are rounded once, from the exact sum."""
    rounded = _decimal(value).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{abs(rounded):,.{decimals}f}"


def money(value: Number | None, *, decimals: int = 2, symbol: str = "$", signed: bool = False) -> str:
    """$18,412.37; a non-zero value that would show as zero is "< $0.01"."""
    if value is None:
        return MISSING
    text = plain(value, decimals, signed=signed)
    if value and not any(digit in text for digit in "123456789"):
        least = f"{symbol}{Decimal(1).scaleb(-decimals):.{decimals}f}"
        return f"> {MINUS}{least}" if value < 0 else f"< {least}"
    sign = text[0] if text[0] in "+" + MINUS else ""
    return f"{sign}{symbol}{text.removeprefix(sign)}"


def money_answer(value: Number | None, *, signed: bool = False) -> str:
    """As answers and strips say it: whole units from 1,000, else two decimals, up to four below 1."""
    if value is None:
        return MISSING
    size = abs(_decimal(value))
    if size >= WHOLE_UNITS_FROM:
        return money(value, decimals=0, signed=signed)
    return money(
        value, decimals=2 if size >= 1 or not size else min(4, unit_cost_decimals([value])), signed=signed
    )


def amount_decimals(values: Iterable[Number | None]) -> int:
    """Two; a column in which nothing reaches 1 shows more, or a first event's cost could not be seen."""
    known = [abs(_decimal(value)) for value in values if value]
    return 2 if not known or max(known) >= 1 else unit_cost_decimals([max(known)])


def unit_cost_decimals(values: Iterable[Number | None]) -> int:
    """The fewest of 2, 4, 6 decimals that give the column's smallest value two digits."""
    known = [abs(_decimal(value)) for value in values if value]
    if not known:
        return UNIT_COST_DECIMALS[0]
    least = min(known)
    enough = (d for d in UNIT_COST_DECIMALS if round(least.scaleb(d)) >= 10)
    return next(enough, UNIT_COST_DECIMALS[-1])


def unit_cost(value: Number | None, decimals: int) -> str:
    """0.0132; the code stands in the column's head. Zero is 0."""
    if value is not None and not value:
        return "0"
    return money(value, decimals=decimals, symbol="")


def call_cost(value: Number | None, *, at_least: bool = False) -> str:
    """One run or call: always six decimals; `at_least`: a unit had no price, so it is a lower bound."""
    if value == 0 and not at_least:
        return "0"
    text = unit_cost(value, 6)
    return f"≥ {text}" if at_least and value is not None else text


def count(value: Number | None, *, signed: bool = False) -> str:
    """Exact, with commas."""
    return MISSING if value is None else plain(value, 0, signed=signed)


def short(value: Number | None) -> str:
    """k, M, B with three digits: 4.88M, 804k, 1,284 stays 1.28k; below 1,000 exact."""
    if value is None:
        return MISSING
    size = abs(_decimal(value))
    for index, (scale, suffix) in enumerate(SUFFIXES):
        if size >= scale or (size >= scale * Decimal("0.9995") and scale > 1000):
            scaled = _decimal(value) / scale
            text = _three_digits(scaled)
            if text.lstrip(MINUS).startswith("1,000") and index:
                return _three_digits(scaled / 1000) + SUFFIXES[index - 1][1]
            return text + suffix
    return plain(value, 0 if size == size.to_integral_value() else 1)


def _three_digits(value: Decimal) -> str:
    size = abs(value)
    decimals = 2 if round(size, 2) < 10 else 1 if round(size, 1) < 100 else 0
    return plain(value, decimals)


def duration(ms: Number | None) -> str:
    """840 ms; 1.24 s; 14.8 s; 2 min 05 s."""
    if ms is None:
        return MISSING
    if (whole_ms := round(float(ms))) < 1000:
        return f"{whole_ms} ms"
    seconds = _decimal(ms) / 1000
    if round(seconds, 1) < 60:
        return f"{_three_digits(seconds)} s"
    whole = round(float(seconds))
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def duration_delta(ms: Number) -> str:
    """+0.31 s, −0.62 s; under 100 ms in ms: +40 ms."""
    if abs(_decimal(ms)) < 100:
        return f"{plain(ms, 0, signed=True)} ms"
    return f"{plain(_decimal(ms) / 1000, 2, signed=True)} s"


def share(value: Number | None) -> str:
    """A ratio as percent with one decimal: 44.1 %."""
    return MISSING if value is None else f"{plain(_decimal(value) * 100, 1)}{NBSP}%"


def rate(value: Number | None) -> str:
    """An error rate: two decimals."""
    return MISSING if value is None else f"{plain(_decimal(value) * 100, 2)}{NBSP}%"


def percent_change(ratio: Number) -> str:
    """+17.5 % for 0.175; from 1,000 % on without decimals."""
    value = _decimal(ratio) * 100
    return f"{plain(value, 1 if abs(value) < 1000 else 0, signed=True)}{NBSP}%"


def points(difference: Number, decimals: int = 1) -> str:
    """−4.1 pp for −0.041."""
    return f"{plain(_decimal(difference) * 100, decimals, signed=True)}{NBSP}pp"


def day(value: date, *, year: bool = False) -> str:
    """24 Nov, or 24 Nov 2026."""
    return f"{value.day} {value:%b %Y}" if year else f"{value.day} {value:%b}"


def days(first: date, last: date, *, year: bool = True) -> str:
    """1–24 Nov 2026; 27 Oct – 23 Nov 2026; one day is that day."""
    tail = f" {last.year}" if year else ""
    if first == last:
        return day(first) + tail
    if first.year != last.year:
        return f"{day(first, year=True)} – {day(last, year=True)}"
    if first.month == last.month:
        return f"{first.day}–{day(last)}{tail}"
    return f"{day(first)} – {day(last)}{tail}"


def moment(value: datetime | None, *, zone: str, now: datetime) -> str:
    """24 Nov 14:15; with the year when it is not this one."""
    if value is None:
        return MISSING
    local = value.astimezone(ZoneInfo(zone))
    same_year = local.year == now.astimezone(ZoneInfo(zone)).year
    return f"{day(local.date(), year=not same_year)}{' ' if same_year else ', '}{local:%H:%M}"


def instant(value: datetime, *, zone: str) -> str:
    """24 Nov 2026 13:52:07.418"""
    local = value.astimezone(ZoneInfo(zone))
    return f"{day(local.date(), year=True)} {local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def lag(seconds: Number | None) -> str:
    """38 s; 4 min; 1 h 45 min."""
    if seconds is None:
        return MISSING
    whole = round(float(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@dataclass(frozen=True, slots=True)
class Column:
    """How one column shows its values: the unit in grey in its head, and one formatter for every cell."""

    unit: str
    show: Callable[[Number | None], str]


def column_for(unit: str, name: str, values: Sequence[Number | None]) -> Column:
    """The formatter of a table's column, from its measure's unit and everything it has to show."""
    maker = COLUMNS.get("unit cost" if unit.startswith("USD/") else unit, _count_column)
    return maker(name, values)


def _money_column(name: str, values: Sequence[Number | None]) -> Column:
    decimals = amount_decimals(values)
    return Column("", lambda value: money(value, decimals=decimals))


def _unit_cost_column(name: str, values: Sequence[Number | None]) -> Column:
    decimals = unit_cost_decimals(values)
    return Column("USD", lambda value: unit_cost(value, decimals))


def _ratio_column(name: str, values: Sequence[Number | None]) -> Column:
    return Column("", rate if name == "error_rate" else share)


def _count_column(name: str, values: Sequence[Number | None]) -> Column:
    return Column("", count)


def _speed_column(name: str, values: Sequence[Number | None]) -> Column:
    return Column("per s", lambda value: MISSING if value is None else plain(value, 1))


def _tokens_column(name: str, values: Sequence[Number | None]) -> Column:
    """One unit for the column, fixed decimals: M with one decimal when the largest reaches a million."""
    largest = max((abs(_decimal(value)) for value in values if value), default=Decimal(0))
    for scale, suffix in SUFFIXES[1:]:
        if largest >= scale * (1 if suffix == "M" else 10):
            decimals = 1 if largest < scale * 100_000 else 0
            return Column(suffix, lambda value, s=scale, d=decimals: scaled_down(value, s, d))  # type: ignore[misc]
    return Column("", count)


def scaled_down(value: Number | None, scale: Decimal, decimals: int) -> str:
    """A value in the column's unit; what is not zero never shows as zero."""
    if value is None:
        return MISSING
    if value == 0:
        return "0"
    text = plain(_decimal(value) / scale, decimals)
    least = Decimal(1).scaleb(-decimals)
    return text if any(digit in text for digit in "123456789") else f"< {least:.{decimals}f}"


def _duration_column(name: str, values: Sequence[Number | None]) -> Column:
    """Seconds with two decimals, unless everything stays below one second."""
    largest = max((float(value) for value in values if value is not None), default=0.0)
    if largest < 1000:
        return Column("ms", lambda value: MISSING if value is None else plain(value, 0))
    return Column("s", lambda value: MISSING if value is None else plain(_decimal(value) / 1000, 2))


COLUMNS: dict[str, Callable[[str, Sequence[Number | None]], Column]] = {
    "USD": _money_column,
    "unit cost": _unit_cost_column,
    "ratio": _ratio_column,
    "ms": _duration_column,
    "tokens": _tokens_column,
    "tokens/s": _speed_column,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A strip's figure: the big text and its unit beside it in small."""

    text: str
    unit: str = ""
    exact: str = ""


def figure_for(unit: str, name: str, value: Number | None) -> Figure:
    """One figure for a strip: 4.88M, 4.12 s, 0.70 %, $41,702.12."""
    if value is None:
        return Figure(MISSING)
    if unit == "USD":
        return Figure(money(value, decimals=min(4, amount_decimals([value]))))
    if unit.startswith("USD/"):
        return Figure(money(value, decimals=min(4, max(2, unit_cost_decimals([value])))))
    if unit == "ratio":
        text = rate(value) if name == "error_rate" else share(value)
        return Figure(text.removesuffix(f"{NBSP}%"), "%")
    if unit == "ms":
        text, _, rest = duration(value).partition(" ")
        return Figure(text, rest) if rest in ("s", "ms") else Figure(f"{text} {rest}")
    return Figure(short(value), "", count(value))


def _decimal(value: Number) -> Decimal:
    """Decimal of a number as it is written: 0.1 is 0.1."""
    return (
        value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else value)
    )

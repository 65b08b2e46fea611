"""The seed of the price book: genai-prices' bundled table as dated entries. Reads no network."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from pricing.entry import EPOCH, Price, Rate, RateSet

PACKAGE = "genai-prices"
_OWN_UNITS = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "cache_write_5m_tokens": "cache_write",
    "cache_write_1h_tokens": "cache_write_1h",
    "output_reasoning_tokens": "reasoning",
    "input_audio_tokens": "audio_input",
    "output_audio_tokens": "audio_output",
}
# Request contexts of the package that are service tiers here; others (a route, a kind of search) are not
# known of a call.
_TIER_KEYS = ("service_tier", "processing", "speed")
# The package writes "no price known" and "free" alike, as an empty price; "free" it also says in the id or in
# words, and only then is it believed.
_FREE_WORDS = re.compile(r"free of charge|included in the subscription", re.IGNORECASE)
_FREE = {"input": Rate(usd=Decimal(0)), "output": Rate(usd=Decimal(0))}
# Floors of billed seconds, which the package keeps in code and not in its table.
_LEAST_SECONDS = {("groq", "whisper-large-v3"): 10, ("groq", "whisper-large-v3-turbo"): 10}
_SECONDS = ("audio_seconds", "input_audio_seconds")


def source() -> str:
    """The source that seeded rows carry: "genai-prices 0.2.3"."""
    return f"{PACKAGE} {version(PACKAGE)}"


def rows(*, recorded_at: datetime = EPOCH) -> Iterator[Price]:
    """Every dated entry of the installed package, model by model, oldest first.

    `recorded_at`: when they are stored; a later one wins over entries of an older package. A model's entries
    follow each other without a gap; the first holds since 1970 where the package gives no date.
    """
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - 1 s and 40 MB: only to seed

    label = source()
    for provider in get_snapshot().providers:
        for model in provider.models:
            yield from _entries(provider.id, model, label, recorded_at)


def changed(stored: Iterable[Price], fresh: Iterable[Price]) -> list[Price]:
    """The fresh rows of models whose entries differ from the latest stored ones: what is left to store.

    Storing only these keeps the ids of prices that did not change, and a second seeding adds nothing.
    """
    known = {model: _content(entries) for model, entries in latest_seed(stored).items()}
    by_model: dict[tuple[str, str], list[Price]] = defaultdict(list)
    for entry in fresh:
        by_model[entry.provider, entry.model].append(entry)
    return [e for model, new in by_model.items() if _content(new) != known.get(model) for e in new]


def latest_seed(stored: Iterable[Price]) -> dict[tuple[str, str], list[Price]]:
    """Of each seeded model the entries that were recorded together last, oldest first.

    A new package replaces a model's entries as a whole; a model that it dropped keeps those it had.
    """
    by_model: dict[tuple[str, str], dict[tuple[datetime, str], list[Price]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for entry in stored:
        if not entry.own:
            by_model[entry.provider, entry.model][entry.recorded_at, entry.source].append(entry)
    return {
        model: sorted(batches[max(batches, key=lambda b: (b[0], max(e.id for e in batches[b])))],
                      key=lambda e: e.valid_from)
        for model, batches in by_model.items()
    }  # fmt: skip


def _content(entries: list[Price]) -> list[tuple[Any, ...]]:
    return [(e.valid_from, e.valid_to, e.sets) for e in sorted(entries, key=lambda e: e.valid_from)]


def _entries(provider: str, model: Any, label: str, recorded_at: datetime) -> Iterator[Price]:
    starts = _starts(model)
    periods = [(start, _sets(provider, model, start)) for start in starts]
    distinct = [p for i, p in enumerate(periods) if i == 0 or p[1] != periods[i - 1][1]]
    ends = [start for start, _ in distinct[1:]]
    for (start, sets), end in zip(distinct, [*ends, None], strict=True):
        if sets:
            yield Price(
                provider=provider,
                model=model.id,
                valid_from=_midnight(start),
                valid_to=None if end is None else _midnight(end),
                recorded_at=recorded_at,
                source=label,
                sets=sets,
                note=(model.price_comments or "")[:1000],
            )


def _starts(model: Any) -> list[date]:
    """The days on which some price of the model begins, the beginning of time included."""
    constraints = [c.constraint for c in (*_conditional(model), *(model.price_variants or ()))]
    return sorted({EPOCH.date(), *(day for c in constraints if (day := _day(c)) is not None)})


def _sets(provider: str, model: Any, start: date) -> tuple[RateSet, ...]:
    """The rate sets that hold from `start` on; none where the model then has no known price."""
    standard = [s for s in _standard_sets(provider, model, start) if s.rates]
    if not any(s.hours is None for s in standard):
        return ()
    return (*standard, *_variant_sets(provider, model, start))


def _standard_sets(provider: str, model: Any, start: date) -> Iterator[RateSet]:
    """The package's rule: the last listed price whose constraint holds, else the first.

    One thing is mended: the package cannot give a daily window a date, so a window listed after dated prices
    would also hold for the years before them (7 hours a day of deepseek-v4-pro). Here it begins with them.
    """
    conditional = _conditional(model)
    for index in range(len(conditional) - 1, -1, -1):
        constraint = conditional[index].constraint
        hours = _hours(constraint)
        if hours is not None:
            if _begins(conditional[:index]) <= start:
                yield RateSet(_rates(provider, model, conditional[index].prices), hours=hours)
        elif constraint is None or constraint.start_date <= start:
            yield RateSet(_rates(provider, model, conditional[index].prices))
            return
    if conditional:
        yield RateSet(_rates(provider, model, conditional[0].prices))


def _variant_sets(provider: str, model: Any, start: date) -> Iterator[RateSet]:
    for variant in model.price_variants or ():
        (key, tier), *more = variant.when.items()
        day = _day(variant.constraint)
        if key not in _TIER_KEYS or more or (day is not None and day > start):
            continue
        rates = _stated_rates(provider, model, variant.prices)
        if rates:
            yield RateSet(rates, tier=tier.lower(), hours=_hours(variant.constraint))


def _rates(provider: str, model: Any, prices: Any) -> dict[str, Rate]:
    stated = _stated_rates(provider, model, prices)
    if stated:
        return stated
    says_free = model.id.endswith(":free") or _FREE_WORDS.search(model.price_comments or "")
    return _FREE if says_free else {}


def _stated_rates(provider: str, model: Any, prices: Any) -> dict[str, Rate]:
    from genai_prices.units import _get_registry  # noqa: PLC0415 - only to seed

    registry = _get_registry()
    rates = {}
    for price_key, value in vars(prices).items():
        if value is not None:
            unit = registry.unit_for_price_key(price_key)
            name = _OWN_UNITS.get(unit.usage_key, unit.usage_key)
            least = _LEAST_SECONDS.get((provider, model.id)) if name in _SECONDS else None
            rates[name] = _rate(value, unit.per, least)
    return rates


def _rate(value: Any, per: int, least: int | None) -> Rate:
    if isinstance(value, Decimal):
        return Rate(usd=value, per=per, least=least)
    tiers = tuple((tier.start, tier.price) for tier in value.tiers)
    return Rate(usd=value.base, per=per, tiers=tiers, least=least)


def _conditional(model: Any) -> list[Any]:
    """The model's prices as a list of (constraint, prices), whichever of its two forms the package uses."""
    from genai_prices.types import ConditionalPrice  # noqa: PLC0415 - only to seed

    return model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]


def _begins(conditional: list[Any]) -> date:
    return max((day for c in conditional if (day := _day(c.constraint)) is not None), default=date.min)


def _day(constraint: Any) -> date | None:
    return getattr(constraint, "start_date", None)


def _hours(constraint: Any) -> tuple[time, time] | None:
    start, end = getattr(constraint, "start_time", None), getattr(constraint, "end_time", None)
    if start is None or end is None:
        return None
    return _utc_clock(start), _utc_clock(end)


def _utc_clock(clock: time) -> time:
    if clock.tzinfo is None:
        return clock
    return datetime.combine(date(2000, 1, 1), clock).astimezone(UTC).time()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)

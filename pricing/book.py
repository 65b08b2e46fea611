"""The price book: which entry holds for a provider, a model and an instant, ready for many calls."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pricing import match
from pricing.entry import ANY_MODEL, EPOCH, Price
from pricing.match import Match
from pricing.names import model_names, provider_of
from pricing.rates import Rates
from pricing.seed import latest_seed
from pricing.units import tier_of

Matcher = Callable[[str | None, str], Match | None]
Key = tuple[str, str]  # provider, model

_MICROSECOND = timedelta(microseconds=1)
_DAY_US = 86_400_000_000
_FOREVER = 2**62
_MAX_TRACKS = 20_000  # names come from senders: what is remembered of them is bounded


class Target(NamedTuple):
    """What a call says of its price: names as sent, the provider normalised or not."""

    provider: str | None
    model: str | None
    response_model: str | None = None
    service_tier: str | None = None


class PriceBook:
    """Seeded entries and, over them, one project's own. Safe to share between threads; never changes.

    A project's entry wins over a seeded one. Among entries of one provider and model the one that began last
    holds, the later recorded of two that begin together. The response model's price is taken first, then
    the request model's.
    """

    def __init__(
        self, seeded: Iterable[Price], entries: Iterable[Price] = (), *, matcher: Matcher = match.find
    ) -> None:
        self._seeded = latest_seed(seeded)
        self._lowered = {(p, m.lower()): (p, m) for p, m in self._seeded}
        self._own: dict[Key, list[Price]] = defaultdict(list)
        for entry in entries:
            self._own[entry.provider.lower(), entry.model.strip().lower()].append(entry)
        self._matcher = matcher
        self._tracks: dict[tuple[str | None, ...], Track] = {}

    def with_entries(self, entries: Iterable[Price]) -> "PriceBook":
        """This book with a project's own entries over it; the seeded ones are shared, not copied."""
        book = PriceBook((), entries, matcher=self._matcher)
        book._seeded, book._lowered = self._seeded, self._lowered
        return book

    def rates(self, target: Target, at: datetime) -> Rates | None:
        """The rates for a call that began at `at` (aware); None where the book has no price."""
        return self.rates_us(target, (at - EPOCH) // _MICROSECOND)

    def rates_us(self, target: Target, at_us: int) -> Rates | None:
        """As `rates`, for an instant in microseconds since 1970."""
        return self.track(target).at(at_us)

    def track(self, target: Target) -> "Track":
        """The rates of a target over all time, remembered: the loader's way."""
        track = self._tracks.get(target)
        if track is None:
            if len(self._tracks) >= _MAX_TRACKS:
                self._tracks.clear()
            track = self._tracks[target] = self._track(target)
        return track

    def stretches(self, target: Target) -> Sequence["Stretch"]:
        """All time, cut where the target's price becomes another: for those who tell of price changes."""
        return self._track(target).stretches

    def find(
        self, provider: str | None, model: str | None, at: datetime, *, service_tier: str | None = None
    ) -> Price | None:
        """The entry whose rates hold (of a discounted one the seeded entry), or None."""
        rates = self.rates(Target(provider, model, None, service_tier), at)
        return rates.price if rates is not None else None

    def _track(self, target: Target) -> "Track":
        names = [name for name in (target.response_model, target.model) if name]
        matches = [(name, self._match(target.provider, name)) for name in names]
        own = [rows for key in _own_keys(target.provider, matches) if (rows := self._own.get(key))]
        seeded = [
            (found, self._seeded.get((found.provider, found.model), [])) for _, found in matches if found
        ]
        rows = [row for group in (*own, *(entries for _, entries in seeded)) for row in group]
        return Track(_periods(rows, lambda at: _choose(own, seeded, at, tier_of(target.service_tier))))

    def _match(self, provider: str | None, name: str) -> Match | None:
        """What the package matches, else the model's own id: it forgets models, stored rows do not."""
        found = self._matcher(provider, name)
        if found is not None and (found.provider, found.model) in self._seeded:
            return found
        asked = provider_of(provider, name) or ""
        exact = next((k for n in model_names(name) if (k := self._lowered.get((asked, n)))), None)
        return Match(*exact) if exact else None


class Chosen(NamedTuple):
    """An entry, the service tier asked of it, and the discount taken off."""

    price: Price
    tier: str
    discount: Price | None = None

    def same_all_day(self) -> bool:
        return all(s.hours is None for s in self.price.sets)


class Track:
    """The rates of one target over all time: stretches, each with one entry (or none) behind it."""

    __slots__ = ("_last", "_stretches")

    def __init__(self, periods: Iterable[tuple[int, int, Chosen | None]]) -> None:
        self._stretches = [Stretch(start, end, chosen) for start, end, chosen in periods]
        self._last = self._stretches[-1]

    @property
    def stretches(self) -> Sequence["Stretch"]:
        """By time, without gaps."""
        return self._stretches

    def at(self, at_us: int) -> Rates | None:
        stretch = self._last
        if not stretch.start <= at_us < stretch.end:
            stretch = next(s for s in self._stretches if s.start <= at_us < s.end)
            self._last = stretch
        return stretch.rates if stretch.by_clock is None else stretch.at_clock(at_us)


class Stretch:
    """From `start` until `end` (microseconds since 1970): one entry's rates, by hour where it has hours."""

    __slots__ = ("by_clock", "chosen", "end", "rates", "start")

    def __init__(self, start: int, end: int, chosen: Chosen | None) -> None:
        self.start = start
        self.end = end
        self.chosen = chosen
        self.rates: Rates | None = None
        self.by_clock: dict[tuple[bool, ...], Rates] | None = None
        if chosen is not None and chosen.same_all_day():
            self.rates = Rates(chosen.price, chosen.price.rates(chosen.tier), chosen.discount)
        elif chosen is not None:
            self.by_clock = {}

    def at_clock(self, at_us: int) -> Rates | None:
        if self.chosen is None or self.by_clock is None:
            return None
        price, tier, discount = self.chosen
        clock = (EPOCH + timedelta(microseconds=at_us % _DAY_US)).time()
        holding = tuple(s.holds(clock) for s in price.sets)
        rates = self.by_clock.get(holding)
        if rates is None:
            rates = self.by_clock[holding] = Rates(price, price.rates(tier, clock), discount)
        return rates


def _own_keys(provider: str | None, matches: list[tuple[str, Match | None]]) -> Iterator[Key]:
    """Where a project's entry may stand, nearest first: the name as sent, the canonical model, any model."""
    anywhere = []
    for name, found in matches:
        asked = provider_of(provider, name)
        providers = list(dict.fromkeys([asked or "", found.provider if found else asked or "", ""]))
        models = dict.fromkeys([*model_names(name), *([found.model.lower()] if found else [])])
        yield from ((p, m) for m in models for p in providers)
        anywhere += [(p, ANY_MODEL) for p in providers]
    yield from dict.fromkeys(sorted(anywhere, key=lambda key: not key[0]))


def _choose(
    own: list[list[Price]], seeded: list[tuple[Match, list[Price]]], at: datetime, tier: str
) -> Chosen | None:
    """The entry that holds at an instant: the project's nearest, else the first seeded one."""
    entry = next(
        (e for rows in own if (e := _holding(rows, at)) and (e.sets or e.discount is not None)), None
    )
    if entry is not None and entry.sets:
        return Chosen(entry, tier)
    for found, rows in seeded:
        price = _holding(rows, at)
        if price is not None:
            return Chosen(price, tier if found.listed else "", entry)
    return None


def _holding(rows: list[Price], at: datetime) -> Price | None:
    covering = [row for row in rows if row.covers(at)]
    return max(covering, key=lambda row: (row.valid_from, row.recorded_at, row.id), default=None)


def _periods(
    rows: list[Price], choose: Callable[[datetime], Chosen | None]
) -> Iterator[tuple[int, int, Chosen | None]]:
    """All time, cut where any entry begins or ends, with what holds in each piece."""
    edges = {row.valid_from for row in rows} | {row.valid_to for row in rows if row.valid_to is not None}
    starts = sorted(edge.astimezone(UTC) for edge in edges)
    marks = [(start - EPOCH) // _MICROSECOND for start in starts]
    yield (-_FOREVER, marks[0] if marks else _FOREVER, None)
    for start, mark, end in zip(starts, marks, [*marks, _FOREVER][1:], strict=True):
        yield (mark, end, choose(start))

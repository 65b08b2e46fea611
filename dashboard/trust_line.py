"""The trust line at the foot of every page with figures: what is missing from them, and where that is listed.

Always in one order, except that what is off (lag over 5 min, priced under 99 %, attributed under 95 %) moves to
the front. It speaks of the page's own filters; *rejected* is the whole project's.
"""

from dataclasses import dataclass

from django.urls import reverse

from analytics.trust import Trust
from dashboard import formats
from dashboard.frame import BEHIND_SECONDS
from dashboard.scope import Scope

PRICED_LEAST = 0.99
ATTRIBUTED_LEAST = 0.95


@dataclass(frozen=True, slots=True)
class Piece:
    """Text, then a bold figure, then text; a link when it leads to the list."""

    text: str
    figure: str = ""
    after: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part between two rules. `off`: outside of what is usual."""

    pieces: tuple[Piece, ...]
    off: bool = False


def trust_line(scope: Scope, trust: Trust | None) -> tuple[Part, ...]:
    """The parts; none where the page has no answer."""
    if trust is None:
        return ()
    parts = (
        _complete(scope, trust),
        _priced(scope, trust),
        _attributed(trust),
        Part(
            (
                Piece(
                    "Duplicates set aside",
                    formats.count(trust.duplicates),
                    href=_list(scope, "trust_duplicates"),
                ),
            )
        ),
        Part((Piece("Rejected", formats.count(trust.rejected), href=_list(scope, "trust_rejected")),)),
        Part((Piece("Price book", price_book(trust)),)),
        *_set_aside(scope, trust),
    )
    return tuple(sorted(parts, key=lambda part: not part.off))


def price_book(trust: Trust) -> str:
    """The day of its newest entry; the source where entries came with the installation."""
    told = trust.price_book or formats.MISSING
    source, _, day = told.rpartition(" ")
    return source if day == "1970-01-01" else day


def _list(scope: Scope, name: str) -> str:
    return scope.url(reverse(name, args=[scope.project.slug]), order=None, limit=None, view=None)


def unpriced_url(scope: Scope) -> str:
    """The list of exactly those calls."""
    return _list(scope, "trust_unpriced")


def _complete(scope: Scope, trust: Trust) -> Part:
    until = formats.moment(trust.complete_until, zone=scope.period.zone, now=scope.now)
    behind = trust.lag_seconds > BEHIND_SECONDS
    waiting = f", {formats.count(trust.waiting)} calls wait" if behind and trust.waiting else ""
    return Part(
        (Piece("Complete to", until, ", "), Piece("lag", formats.lag(trust.lag_seconds), waiting)), behind
    )


def _priced(scope: Scope, trust: Trust) -> Part:
    if trust.priced_share is None:
        return Part((Piece("Priced", formats.MISSING),))
    count = trust.unpriced_calls
    without = f"{formats.count(count)} {'call' if count == 1 else 'calls'} without a price"
    pieces = (
        Piece("Priced", _share(trust.priced_share), " of calls, "),
        Piece(without, href=unpriced_url(scope)),
    )
    return Part(pieces, trust.priced_share < PRICED_LEAST)


def _attributed(trust: Trust) -> Part:
    if trust.attributed_share is None:
        return Part((Piece("Attributed", formats.MISSING),))
    pieces = [Piece("Attributed", _share(trust.attributed_share), " of calls")]
    if trust.attributed_spend_share is not None:
        pieces.append(Piece(",", _share(float(trust.attributed_spend_share)), " of spend"))
    return Part(tuple(pieces), trust.attributed_share < ATTRIBUTED_LEAST)


def _share(value: float) -> str:
    """100 % only when it is all: 99.996 % shows as 99.99 %."""
    if value == 1:
        return f"100{formats.NBSP}%"
    if value > PRICED_LEAST:
        cut = int(value * 10_000) / 10_000
        return f"{formats.plain(cut * 100, 2)}{formats.NBSP}%"
    return formats.share(value)


def _set_aside(scope: Scope, trust: Trust) -> tuple[Part, ...]:
    """Only when there is any."""
    if not trust.set_aside:
        return ()
    href = reverse("settings_set_aside", args=[scope.project.slug])
    return (Part((Piece("Could not be loaded", formats.count(trust.set_aside), href=href),), off=True),)

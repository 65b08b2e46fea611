"""Reading what people type: amounts, days, currencies, providers. Refusals are ValueErrors with their sentence."""

from datetime import date
from decimal import Decimal, InvalidOperation

from accounts.projects import valid_currency

_LIMIT = Decimal(10) ** 12


class BadEntryError(ValueError):
    """What was typed cannot be kept; its text says what to write."""


def amount(text: str, *, decimals: int = 6) -> Decimal:
    """An amount: `54,622.35` or `54622.35`; negative for a credit."""
    try:
        found = Decimal(text.strip().replace(",", "").replace(" ", ""))
    except InvalidOperation as problem:
        raise BadEntryError(f"{text[:20]!r} is no amount. Write it like 5367.66.") from problem
    if not found.is_finite() or abs(found) >= _LIMIT or found != round(found, decimals):
        raise BadEntryError(
            f"{text[:20]!r} cannot be kept: at most 12 digits before the point, {decimals} behind."
        )
    return found


def rate(text: str) -> Decimal:
    """An exchange rate: how much of the currency one US dollar was worth."""
    found = amount(text, decimals=12)
    if found <= 0:
        raise BadEntryError("A rate is above 0. Write how much one US dollar was worth, like 0.9213.")
    return found


def day(text: str) -> date:
    """A date, `2026-11-24`."""
    try:
        found = date.fromisoformat(text.strip())
    except ValueError as problem:
        raise BadEntryError(f"{text[:20]!r} is no date. Write it like 2026-11-24.") from problem
    if not 1970 <= found.year <= 2200:
        raise BadEntryError(f"{text[:20]!r} lies outside of the calendar.")
    return found


def currency(text: str) -> str:
    """A currency's code. Raises ValueError."""
    return valid_currency(text)


def line(text: str, *, what: str, longest: int, needed: bool = True) -> str:
    """One line of text."""
    found = " ".join(text.replace("\0", " ").split())
    if len(found) > longest or (needed and not found):
        raise BadEntryError(f"The {what} has {'1' if needed else '0'} to {longest} characters.")
    return found


def amount_or_zero(text: str) -> Decimal:
    """An exact amount as an export keeps it; unknown counts as nothing."""
    return Decimal(text) if text else Decimal(0)

"""One table of keys: it drives the list of keys, the hints beside menus, and the listener in keys.js."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """A key (or two in turn) and what it does. The listener presses the element with that `data-key`."""

    keys: str
    does: str


KEYS = (
    Key("/", "Find"),
    Key("?", "this list"),
    Key("t", "today"),
    Key("w", "7 days"),
    Key("f", "28 days"),
    Key("m", "month to date"),
    Key("l", "last month"),
    Key("q", "quarter to date"),
    Key("y", "year to date"),
    Key("[", "period back"),
    Key("]", "period on"),
    Key("x", "comparison on, off"),
    Key("a", "add a filter"),
    Key("j", "row down"),
    Key("k", "row up"),
    Key("↵", "open the row"),
    Key("o", "chart or table"),
    Key("s", "share"),
    Key("g o", "Overview"),
    Key("g e", "Explore"),
    Key("g q", "Quality"),
    Key("g g", "Guardrails"),
    Key("g f", "Finance"),
    Key("g s", "Settings"),
    Key("Esc", "close; then clear filters"),
)

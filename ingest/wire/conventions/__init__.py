"""Which attribute of which convention says what: data, read as one table.

Each module declares `ATTRIBUTES`: slot -> attribute names, the newest (preferred) first, and `PREFIXES`: the
beginning of an attribute name -> slot that collects whatever follows. Where two modules name the same slot,
the earlier module's names are preferred. A slot is the product's word for the value, whoever wrote it.
"""

from typing import NamedTuple

from ingest.wire.conventions import (
    ai_sdk,
    flowledger,
    langfuse,
    litellm,
    openinference,
    openllmetry,
    otel,
    others,
)

MODULES = (flowledger, langfuse, openinference, ai_sdk, litellm, otel, openllmetry, others)
_MEMO_LIMIT = 20_000  # attribute names remembered, so that one hostile sender cannot grow the memory
_MEMO_NAME = 200


class Hit(NamedTuple):
    """Where a value goes: its slot, its rank there (0 is preferred), or its key in a collection."""

    slot: str
    rank: int
    key: str | None = None


def _declared() -> dict[str, Hit | None]:
    table: dict[str, Hit | None] = {}
    ranks: dict[str, int] = {}
    for module in MODULES:
        for slot, names in module.ATTRIBUTES.items():
            for name in names:
                if name not in table:
                    table[name] = Hit(slot, ranks.get(slot, 0))
                    ranks[slot] = ranks.get(slot, 0) + 1
    return table


def _prefixes() -> dict[str, tuple[tuple[str, str], ...]]:
    """Prefix and slot, by the first word of the attribute name."""
    found: dict[str, list[tuple[str, str]]] = {}
    for module in MODULES:
        for prefix, slot in module.PREFIXES.items():
            found.setdefault(prefix.split(".", 1)[0], []).append((prefix, slot))
    return {head: tuple(pairs) for head, pairs in found.items()}


_PREFIXES = _prefixes()


class _Hits(dict[str, Hit | None]):
    """Attribute name -> hit, None where no convention knows the name; a new name is remembered."""

    def __missing__(self, name: str) -> Hit | None:
        hit = _collected(name)
        if len(self) < _MEMO_LIMIT and len(name) <= _MEMO_NAME:
            self[name] = hit
        return hit


def _collected(name: str) -> Hit | None:
    for prefix, slot in _PREFIXES.get(name.split(".", 1)[0], ()):
        if name.startswith(prefix) and len(name) > len(prefix):
            return Hit(slot, -1, name[len(prefix) : len(prefix) + _MEMO_NAME])
    return None


HITS = _Hits(_declared())
FIELD_OF = {  # the name to tell a sender: OpenTelemetry's where there is one
    slot: names[0] for module in (*MODULES, otel) for slot, names in module.ATTRIBUTES.items()
}

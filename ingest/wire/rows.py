"""Rows of texts -> events -> call records, by a plan made once from the header.

The rules are the API's own: a row becomes the `Event` that the same call would be as JSON, and what does not
fit goes the way of a JSON event item by item (`ingest/wire/native.py`), with the same mending and the same words.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

import msgspec

from ingest.records import Rejection
from ingest.wire.columns import BadMappingError, Convert, known_place, place_of
from ingest.wire.decoded import Decoded
from ingest.wire.event import Event, Rules, record_of
from ingest.wire.limits import storable
from ingest.wire.native import take_item
from ingest.wire.ordinals import Ordinals, digest_of, row_id
from ingest.wire.refusals import near

Column = tuple[int, Convert, str]
Path = tuple[str, ...]
Item = tuple[int, dict[str, Any]]  # line number, event
TIME_HINT = (
    "Write RFC 3339 with an offset (2026-11-23T10:00:00Z), unix seconds or milliseconds, or name the zone of "
    "times without an offset: --zone Europe/Berlin."
)
_encode = msgspec.msgpack.Encoder(order="sorted").encode


class Wanted(msgspec.Struct, frozen=True):
    """What was asked of an import: fields from columns, fixed fields, the zone of times without offset."""

    maps: Mapping[str, str] = {}
    sets: Mapping[str, str] = {}
    zone: tzinfo | None = None


class Group(msgspec.Struct):
    """The members of one object of an event: from columns, and fixed ones."""

    path: Path
    columns: list[Column] = []
    fixed: dict[str, Any] = {}


class Plan(msgspec.Struct):
    """How a row becomes an event: the event itself is the group with the empty path."""

    groups: list[Group]
    width: int
    left_out: list[str]  # columns that are not used

    def event(self, row: Sequence[str]) -> dict[str, Any]:
        """The event of one row; an empty cell is no value."""
        event: dict[str, Any] = {}
        for group in self.groups:
            members = group.fixed.copy()
            for index, convert, name in group.columns:
                if text := row[index].strip():
                    members[name] = convert(text)
            if not group.path:
                event = members
            elif members:
                placed(event, group.path, members)
        list_scores(event)
        return event


def list_scores(event: dict[str, Any]) -> None:
    """Scores that were mapped by name (`scores.undo`) become the list that events have."""
    named = event.get("scores")
    if isinstance(named, dict):
        event["scores"] = [{"name": name, "value": value} for name, value in named.items()]


def placed(event: dict[str, Any], path: Path, value: Any) -> None:
    """Put a value into an event at a path, making the objects on the way."""
    for name in path[:-1]:
        event = event.setdefault(name, {})
    event[path[-1]] = value


def plan_of(header: Sequence[str], wanted: Wanted) -> Plan:
    """The plan for rows under this header. Raises BadMappingError for what cannot be meant."""
    names = [name.strip() for name in header]
    fixed = fixed_values(wanted)
    taken = _chosen(names, wanted, set(fixed))
    groups: dict[Path, Group] = defaultdict(lambda: Group(()))
    groups[()] = Group(())
    for path, value in fixed.items():
        if value is not None:
            _group(groups, path[:-1]).fixed[path[-1]] = value
    for path, (index, convert) in taken.items():
        _group(groups, path[:-1]).columns.append((index, convert, path[-1]))
    _check_required(set(taken) | {path for path, value in fixed.items() if value is not None}, names)
    used = {index for index, _ in taken.values()}
    left_out = [name for index, name in enumerate(names) if index not in used]
    return Plan([groups[path] for path in sorted(groups, key=len)], len(names), left_out)


def _group(groups: dict[Path, Group], path: Path) -> Group:
    return groups.setdefault(path, Group(path))


def fixed_values(wanted: Wanted) -> dict[Path, Any]:
    """The values of --set by path; None where an empty one says that there shall be none.

    Raises BadMappingError for a value that no event may have."""
    fixed: dict[Path, Any] = {}
    for field, given in wanted.sets.items():
        place = known_place(field, zone=wanted.zone)
        _refuse_again(field, place.path in fixed)
        text = storable(given.strip())
        fixed[place.path] = place.convert(text) if text else None
    sample: dict[str, Any] = {"id": "x", "timestamp": "2026-11-23T10:00:00Z"}
    for path, value in fixed.items():
        if value is not None:
            placed(sample, path, value)
    list_scores(sample)
    try:
        msgspec.convert(sample, Event)
    except msgspec.ValidationError as problem:
        raise BadMappingError(f"A value given with --set cannot be used: {problem}.") from problem
    return fixed


def _chosen(names: list[str], wanted: Wanted, fixed: set[Path]) -> dict[Path, tuple[int, Convert]]:
    """The column of each path: mapped ones first, then those that are named like a field."""
    chosen: dict[Path, tuple[int, Convert]] = {}
    for field, column in wanted.maps.items():
        place = known_place(field, zone=wanted.zone)
        _refuse_again(field, place.path in fixed or place.path in chosen)
        chosen[place.path] = (_index_of(column, names), place.convert)
    for index, name in enumerate(names):
        place_or_none = place_of(name, zone=wanted.zone)
        if place_or_none is None or place_or_none.path in fixed or place_or_none.path in chosen:
            continue
        _refuse_again(name, names.count(name) > 1)
        chosen[place_or_none.path] = (index, place_or_none.convert)
    return chosen


def _refuse_again(field: str, again: bool) -> None:
    if again:
        raise BadMappingError(f"{field} is given twice: give it once, from a column or with --set.")


def _index_of(column: str, names: list[str]) -> int:
    found = names.count(column)
    if found == 1:
        return names.index(column)
    if found:
        raise BadMappingError(f"The file has several columns {column!r}.")
    meant = near(column, names)
    hint = f"Did you mean {meant}?" if meant else f"Columns: {', '.join(names)}."
    raise BadMappingError(f"The file has no column {column!r}. {hint}")


def _check_required(paths: set[Path], names: list[str]) -> None:
    has_model = ("model",) in paths or {("operation",), ("cost",)} <= paths
    for field, there in (("timestamp", ("timestamp",) in paths), ("model", has_model)):
        if not there:
            fixed = "" if field == "timestamp" else f" or --set {field}=VALUE"
            raise BadMappingError(
                f"Nothing says the {field} of a call: give --map {field}=COLUMN{fixed}. "
                f"Columns: {', '.join(names)}."
            )


class Converter:
    """Events -> call records, with ids for those that have none."""

    def __init__(self, rules: Rules) -> None:
        self.rules, self._ordinals = rules, Ordinals()

    def identify(self, items: Sequence[Item], content: Callable[[Any], bytes] = _encode) -> None:
        """Give every event without an id one, made of its content."""
        nameless = [event for _, event in items if event.get("id") is None]
        digests = [digest_of(content(event)) for event in nameless]
        for event, digest, ordinal in zip(nameless, digests, self._ordinals.of(digests), strict=True):
            event["id"] = row_id(digest, ordinal)

    def convert(self, items: Sequence[Item]) -> Decoded:
        """Records, and rejections whose index is the line."""
        self.identify(items)
        decoded = Decoded()
        take, warn, rules = decoded.records.append, decoded.warn, self.rules
        for decoded.index, event in items:
            try:
                take(record_of(msgspec.convert(event, Event), rules, warn))
            except (msgspec.ValidationError, ValueError, OverflowError):
                take_item(decoded.index, event, rules, decoded)
        decoded.rejections = [_hinted(rejection) for rejection in decoded.rejections]
        return decoded


def _hinted(rejection: Rejection) -> Rejection:
    unreadable = rejection.field == "timestamp" and (
        "offset" in rejection.message or "time" in rejection.message
    )
    return msgspec.structs.replace(rejection, hint=TIME_HINT) if unreadable else rejection

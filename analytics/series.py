"""Series: the distinct combinations of what can change, and who a project is to the loader.

A `ProjectState` is what the loader of one lane remembers of a project between batches. It is thrown away when
a batch fails: what it remembers must be committed.
"""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from django.utils import timezone
from psycopg import Cursor

from accounts.models import Project
from analytics.intern import CUSTOMER, SESSION, USER, hash_of, name_id
from analytics.models import UNATTRIBUTED, Feature, Flow
from analytics.stand_ins import StandIns, load_stand_ins
from analytics.statements import statement
from pricing.book import PriceBook, Track

MAX_NEW_FLOWS = 500
MOST_WAITING = 500  # names without room that are remembered one by one
MAX_REMEMBERED = 200_000
OTHER = "(other)"
SEVERAL = "(several)"


class Series(NamedTuple):
    """What can change about a call. `tags` is the JSON of the tracked tags, or None."""

    environment: str
    flow_id: int
    step: str | None
    operation: str | None
    provider: str | None
    model: str | None
    response_model: str | None
    service_tier: str | None
    prompt: str | None
    prompt_version: str | None
    retrieval: str | None
    release: str | None
    tags: str | None


# Beyond a project's bound these become (other), one group after the other; never environment, flow,
# provider or model.
GIVEN_UP = (("tags",), ("release",), ("retrieval",), ("prompt", "prompt_version"), ("step",))
COLUMNS = ("project_id", "id", "coarse_id", *Series._fields, "first_seen_at")
_INSERT = (
    f"INSERT INTO series ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))}) "  # noqa: S608
    "ON CONFLICT DO NOTHING"
)


def series_id(series: Series) -> int:
    """The id of a series: a hash of all of it."""
    return hash_of(msgspec.json.encode(series).decode())


def tags_text(tags: dict[str, Any]) -> str:
    """The one spelling of a set of tags, whatever the order in which they came."""
    return msgspec.json.encode(tags, order="deterministic").decode()


def coarse(series: Series) -> Series:
    """The series with only environment, flow, provider and model."""
    known = (series.environment, series.flow_id, None, None, series.provider, series.model)
    return Series._make((*known, *(None,) * (len(Series._fields) - len(known))))


class Told(NamedTuple):
    """What is known of all calls that say the same of themselves: their series (as text), their flow, and their
    prices in a book. Good as long as the book is the project's: another thread may have made
    it just before that changed."""

    series: str
    flow: int
    track: Track
    book: PriceBook


@dataclass(slots=True)
class ProjectState:
    """What the loader knows of one project. Ids are valid once the batch that made them is committed."""

    project: Project
    book: PriceBook
    flows: dict[str, int]
    stand_ins: StandIns = field(default_factory=StandIns)
    told: dict[tuple[str | None, ...], Told] = field(default_factory=dict)  # by what was sent
    series: dict[Series, int] = field(default_factory=dict)
    known: dict[int, Series] = field(default_factory=dict)
    names: dict[int, dict[str, str]] = field(  # ids, as text, by kind and name
        default_factory=lambda: {CUSTOMER: {}, USER: {}, SESSION: {}}
    )
    tag_sets: set[int] = field(default_factory=set)
    unconfirmed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    new_series: list[tuple[Any, ...]] = field(default_factory=list)
    new_names: list[tuple[int, int, int, str]] = field(default_factory=list)
    new_tag_sets: list[tuple[int, int, str]] = field(default_factory=list)
    waiting: dict[str, tuple[int, int]] = field(
        default_factory=dict
    )  # names without room: first, last call (us)

    def flow_id(self, name: str | None, feature: str | None) -> int:
        """The id of a flow name; a new one joins the queue of names to be confirmed, while there is room."""
        if not name:
            return UNATTRIBUTED
        found = self.flows.get(name)
        if found is None:
            if self.unconfirmed >= MAX_NEW_FLOWS:
                return UNATTRIBUTED
            found = self.flows[name] = self._new_flow(name, feature)
        return found

    def found_no_room(self, name: str, at_us: int) -> None:
        """Remember when calls of a flow name without room were: they are corrected later (catalogue_queue.py)."""
        with self.lock:
            name = name if name in self.waiting or len(self.waiting) < MOST_WAITING else ""
            first, last = self.waiting.get(name, (at_us, at_us))
            self.waiting[name] = (min(first, at_us), max(last, at_us))

    def _new_flow(self, name: str, feature: str | None) -> int:
        belongs = Feature.objects.get_or_create(project=self.project, name=feature)[0] if feature else None
        flow, made = Flow.objects.get_or_create(
            project=self.project, name=name, defaults={"feature": belongs}
        )
        self.unconfirmed += made
        return flow.pk

    def id_of(self, series: Series) -> int:
        """The id of a series, which is remembered to be stored when it is new."""
        found = self.series.get(series)
        if found is not None:
            return found
        kept = self._within_bound(series)
        found = self._add(kept, self._add(coarse(kept), None))
        self.series[series] = found
        return found

    def _add(self, series: Series, coarse_id: int | None) -> int:
        number = series_id(series)
        if number not in self.known:
            row = (self.project.pk, number, coarse_id or number, *series, timezone.now())
            with self.lock:
                self.known[number] = series
                self.new_series.append(row)
        return number

    def _within_bound(self, series: Series) -> Series:
        if len(self.known) < self.project.dimension_bound or series_id(series) in self.known:
            return series
        for names in GIVEN_UP:
            lost: dict[str, Any] = {name: OTHER for name in names if getattr(series, name) is not None}
            if "tags" in lost:
                lost["tags"] = f'{{"{OTHER}": true}}'
            series = series._replace(**lost)
            if series_id(series) in self.known:
                return series
        return series

    def name(self, kind: int, value: str) -> str:
        """The id of a customer's, user's or session's name; remembers that its text must be stored."""
        number = name_id(value)
        with self.lock:
            if value not in self.names[kind]:
                self.names[kind][value] = str(number)
                self.new_names.append((self.project.pk, kind, number, value))
        return str(number)

    def tag_set(self, number: int, tags: str) -> None:
        """Remember that a set of tags must be stored."""
        if number not in self.tag_sets:
            with self.lock:
                self.tag_sets.add(number)
                self.new_tag_sets.append((self.project.pk, number, tags))

    def forget(self) -> None:
        """What a call says of its series means something else now."""
        self.series.clear()
        self.told.clear()

    def bound(self) -> None:
        """Names come from senders: what is remembered of them is bounded, and written again when forgotten."""
        remembers: list[dict[Any, Any] | set[Any]] = [
            self.told,
            self.series,
            self.tag_sets,
            *self.names.values(),
        ]
        for remembered in remembers:
            if len(remembered) > MAX_REMEMBERED:
                remembered.clear()

    def store(self, cursor: "Cursor[Any]") -> None:
        """Write what is new, in the transaction of the batch.

        The lists change hands first: another thread may be adding to them (analytics/ahead.py)."""
        with self.lock:
            series, self.new_series = self.new_series, []
            names, self.new_names = self.new_names, []
            tag_sets, self.new_tag_sets = self.new_tag_sets, []
            waiting, self.waiting = self.waiting, {}
        if waiting:
            _store_waiting(cursor, self.project.pk, waiting)
        pending: tuple[tuple[str, list[Any]], ...] = (
            (_INSERT, series),
            ("INSERT INTO name (project_id, kind, id, value) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING", names),
            ("INSERT INTO tag_set (project_id, id, tags) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", tag_sets),
        )  # fmt: skip
        for query, rows in pending:
            if rows:
                rows.sort(key=_key)
                cursor.executemany(query, rows)


def _store_waiting(cursor: "Cursor[Any]", project_id: int, waiting: dict[str, tuple[int, int]]) -> None:
    """A stretch of time for each name, a little wider than its calls are apart."""
    for name, (first, last) in sorted(waiting.items()):  # the names in one order for every writer
        start = datetime.fromtimestamp(first // 1_000_000, UTC)
        end = datetime.fromtimestamp(last // 1_000_000 + 1, UTC)
        values = {"project": project_id, "name": name, "first": start, "last": end, "most": MOST_WAITING}
        cursor.execute(statement("note_waiting_flow"), values)


def _key(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Rows are written in the order of their keys, so that two writers cannot wait for each other."""
    return row[:3]


def load_state(project: Project, book: PriceBook, cursor: "Cursor[Any]") -> ProjectState:
    """A project's state as it is committed now."""
    flows = dict(Flow.objects.filter(project=project).values_list("name", "pk"))
    unconfirmed = Flow.objects.filter(project=project, confirmed_at=None).count()
    state = ProjectState(project=project, book=book, flows=flows, unconfirmed=unconfirmed)
    state.stand_ins = load_stand_ins(cursor, project.pk)
    cursor.execute(
        f"SELECT id, {', '.join(f for f in Series._fields if f != 'tags')}, tags::text FROM series"  # noqa: S608
        " WHERE project_id = %s",
        [project.pk],
    )
    for number, *values, tags in cursor.fetchall():
        state.known[number] = Series._make((*values, tags and tags_text(msgspec.json.decode(tags))))
    return state


def merged(members: list[Series]) -> Series:
    """The series of a run: each dimension its single value among the calls that carry a prompt version,
    else among all, or (several)."""
    chosen = [m for m in members if m.prompt_version is not None] or members
    values: dict[str, Any] = {}
    for name in Series._fields:
        found = {getattr(m, name) for m in chosen}
        several = f'{{"{SEVERAL}": true}}' if name == "tags" else SEVERAL
        values[name] = found.pop() if len(found) == 1 else several
    flows = {m.flow_id for m in members}
    values["flow_id"] = values["flow_id"] if isinstance(values["flow_id"], int) else min(flows - {0} or {0})
    return Series(**values)

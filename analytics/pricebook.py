"""The stored price book: seeded rows for everybody, a project's own over them, dated, never overwritten."""

import threading
from dataclasses import dataclass, field

from django.db.models import Count, Max, Q

from analytics.models import Price as Stored
from pricing import seed
from pricing.book import PriceBook
from pricing.entry import Price


def sync(*, force: bool = False) -> int:
    """Store what the installed price list says and the book does not have yet; returns how many rows."""
    everybody = Stored.objects.filter(project=None)
    if not force and everybody.filter(source=seed.source()).exists():
        return 0
    fresh = seed.changed(map(entry_of, everybody), list(seed.rows()))
    Stored.objects.bulk_create(row_of(entry) for entry in fresh)
    return len(fresh)


def entry_of(row: Stored) -> Price:
    """The entry that a stored row holds."""
    return Price.from_json(row.body, id=row.pk)


def row_of(entry: Price, *, project_id: int | None = None) -> Stored:
    """The row that stores an entry."""
    return Stored(
        project_id=project_id, provider=entry.provider, model=entry.model, valid_from=entry.valid_from,
        recorded_at=entry.recorded_at, source=entry.source, body=entry.as_json(),
    )  # fmt: skip


@dataclass(slots=True)
class Books:
    """The books of this process, read again when a row was added or withdrawn."""

    seeded: PriceBook | None = None
    seeded_version: tuple[int, int] = (0, 0)
    own: dict[int, tuple[tuple[int, int], PriceBook]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, project_id: int) -> PriceBook:
        """The book that prices a project's calls."""
        with self.lock:
            versions: dict[int | None, tuple[int, int]] = {
                row["project"]: (row["newest"], row["withdrawn"])
                for row in Stored.objects.filter(Q(project=None) | Q(project=project_id))
                .order_by()
                .values("project")
                .annotate(newest=Max("id"), withdrawn=Count("withdrawn_at"))
            }
            base = self._base(versions.get(None, (0, 0)))
            wanted = versions.get(project_id)
            if wanted is None:
                return base
            held = self.own.get(project_id)
            if held is None or held[0] != wanted:
                rows = Stored.objects.filter(project=project_id, withdrawn_at=None)
                held = self.own[project_id] = (wanted, base.with_entries(map(entry_of, rows)))
            return held[1]

    def _base(self, version: tuple[int, int]) -> PriceBook:
        if self.seeded is None or version != self.seeded_version:
            self.own.clear()
            rows = Stored.objects.filter(project=None, withdrawn_at=None)
            self.seeded = PriceBook(map(entry_of, rows))
            self.seeded_version = version
        return self.seeded


books = Books()

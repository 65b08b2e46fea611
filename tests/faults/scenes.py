"""Work whose process dies: each scene prepares a project, names the work, and what a normal run does afterwards."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import Project
from analytics.fold import fold_lane
from analytics.load import drain
from analytics.models import ImportBatch
from analytics.pricebook import row_of
from analytics.rebuild import rebuild
from analytics.reprice import reprice
from analytics.undo import CannotUndoError, undo
from ingest import inbox
from ingest.inbox import Kind
from pricing.own import own_price
from tests.analytics.ledger import NOW, call, load, rows, send
from tests.ingest.otlp_bodies import NOW_US, records, span

LATER = datetime.fromtimestamp(NOW_US / 1e6, UTC) + timedelta(hours=1)
NOVEMBER = date(2026, 11, 1), date(2026, 12, 1)


@dataclass(frozen=True)
class Scene:
    """prepare: before; work: what is killed; repair: what normal operation does after it."""

    prepare: Callable[[Project], None]
    work: Callable[[Project], Any]
    repair: Callable[[Project], Any]
    now: datetime = NOW


def some_calls(start: int, count: int) -> list[Any]:
    """Calls of which half belong to traces of three, one in seven failed, of five customers."""
    return [
        call(
            n, trace=f"run-{n // 3}" if n % 6 < 3 else None, customer=f"c-{n % 5}", step=f"step-{n % 3}",
            failed=n % 7 == 0, error_class="timeout" if n % 7 == 0 else "", session=f"s-{n // 9}",
        )
        for n in range(start, start + count)
    ]  # fmt: skip


def chat(number: int, **fields: Any) -> Any:
    """A span of a model call below span 1."""
    attributes = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100,
    }  # fmt: skip
    return span(number, attributes, parent=1, **fields)


def _early(project: Project) -> None:
    send(project, records(chat(2), chat(3)), kind=Kind.SPANS, now=LATER)
    load(project, now=LATER)
    root = span(
        1, {"flowledger.flow": "late-flow", "flowledger.customer": "acme", "user.id": "u-1"}, took=900
    )
    send(project, records(root, chat(2), chat(4), chat(5)), kind=Kind.SPANS, now=LATER)


def _duplicates(project: Project) -> None:
    send(project, some_calls(0, 20))
    load(project)
    send(project, [*some_calls(10, 20), *some_calls(25, 3)])


def _loaded(project: Project) -> None:
    for start in (0, 10, 20):
        send(project, some_calls(start, 15))
        load(project)


def _unpriced(project: Project) -> None:
    send(project, [call(n, provider="house", model="house-1", trace=f"run-{n // 2}") for n in range(10)])
    load(project)
    prices = {"input": Decimal(2), "output": Decimal(10)}
    entry = own_price(
        "house", "house-1", prices, valid_from=datetime(2026, 1, 1, tzinfo=UTC), recorded_at=NOW
    )
    row_of(entry, project_id=project.pk).save()


def _fold(project: Project) -> None:
    fold_lane(project.lane, now=NOW, wait=True)


def _rebuild(project: Project) -> None:
    list(rebuild(project, first=NOW.date(), last=NOW.date() + timedelta(days=1), now=NOW))


def _reprice(project: Project) -> None:
    reprice(project, first=NOVEMBER[0], last=NOVEMBER[1], now=NOW)


def _imported(project: Project) -> None:
    _loaded(project)
    found = ImportBatch.objects.create(
        project=project, file_name="calls.csv", format="csv", finished_at=NOW,
        first_at=NOW - timedelta(days=1), last_at=NOW + timedelta(days=1),
    )  # fmt: skip
    calls = [*some_calls(30, 30), *some_calls(100, 10)]
    inbox.put(calls, kind=Kind.CALLS, sender=inbox.Sender(project.pk, import_batch=found.pk), now=NOW)
    load(project)


def _undo(project: Project) -> None:
    with contextlib.suppress(CannotUndoError):  # the killed process had done all of it
        undo(project, ImportBatch.objects.get(project=project).pk, now=NOW)


def _many(project: Project) -> None:
    for start in range(0, 300, 30):
        send(project, some_calls(start, 35))


def _drain(project: Project) -> None:
    drain(now=lambda: NOW, lanes=[project.lane])


SCENES: dict[str, Scene] = {
    "drain": Scene(_many, _drain, load),
    "undo": Scene(_imported, _undo, _undo),
    "calls": Scene(lambda project: send(project, some_calls(0, 30)), load, load),
    "duplicates": Scene(_duplicates, load, load),
    "traces": Scene(
        _early, lambda project: load(project, now=LATER), lambda project: load(project, now=LATER), LATER
    ),
    "fold": Scene(_loaded, _fold, _fold),
    "rebuild": Scene(_loaded, _rebuild, _rebuild),
    "reprice": Scene(_unpriced, _reprice, _reprice),
}

_COST = "call_cost(cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other, cost_unsplit)"
_FIGURES = (
    f"SELECT count(*), sum(duplicates), sum(input), sum(output), sum({_COST}),"
    " count(*) FILTER (WHERE wasted) FROM call",
    *(
        f"SELECT sum(calls), sum(duplicates), sum(input), sum(output), sum({_COST}), sum(unpriced) FROM {table}"
        for table in ("usage", "usage_day", "customer_bucket", "customer_day")
    ),
    *(f"SELECT sum(runs), sum(failures), sum(rescued), sum(cost) FROM {table}" for table in ("run_bucket", "run_day")),
    "SELECT count(*), sum(calls), sum(cost), sum(errors), count(session) FROM run",
    "SELECT count(*), sum(copies) FROM span",
    "SELECT sum(accepted), sum(duplicates), sum(rejected) FROM intake",
    "SELECT count(*) FROM inbox", "SELECT count(*) FROM inbox_dead",
    "SELECT count(*) FROM audience_day", "SELECT count(*) FROM accounts_auditline",
)  # fmt: skip


def figures(project: Project) -> list[tuple[Any, ...]]:
    """All that the ledger and its rollups say of a project, as sums."""
    return [
        (text.split(" FROM ")[-1], *rows(f"{text} WHERE project_id = %s", project.pk)[0]) for text in _FIGURES
    ]

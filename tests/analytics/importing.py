"""What the tests of imports and of their undoing share: commands, files, and whether anything is left."""

import io
from pathlib import Path
from typing import Any

from django.core.management import call_command

from accounts.models import Project
from analytics import imports
from analytics.fold import fold_lane
from analytics.imports import Order, run
from analytics.verify import verify
from ingest.wire.rows import Wanted
from tests.analytics.ledger import NOW, rows

SUMS = (
    "SELECT coalesce(sum(calls), 0), coalesce(sum(calls) FILTER (WHERE error_class > 0), 0), sum(input),"
    " sum(coalesce(output, 0) + coalesce(reasoning, 0)), sum(call_cost(cost_input, cost_cache_read,"
    " cost_cache_write, cost_output, cost_other, cost_unsplit)) FROM usage_day"
)
LEDGER = "SELECT count(*) FROM call"
HEADER = "timestamp,model,flow,usage.input_tokens,cost"
ROWS = [
    "2026-11-20T10:00:00Z,gpt-4o-mini,support,1000,0.25",
    "2026-11-20T10:00:00Z,gpt-4o-mini,support,1000,0.25",
    "2026-11-21T10:00:00Z,gpt-4o-mini,search,10,0.5",
]


def command(name: str, *args: object) -> list[str]:
    """What a command prints, by lines."""
    out = io.StringIO()
    call_command(name, *map(str, args), stdout=out)
    return out.getvalue().splitlines()


def written(tmp_path: Path, lines: list[str], name: str = "calls.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return path


def brought(project: Project, path: Path, **wanted: Any) -> imports.Report:
    order = Order(project=project, path=path, format="csv", wanted=Wanted(**wanted))
    return run(order, now=lambda: NOW, progress=lambda position: None)


def differences(project: Project) -> list[object]:
    return list(verify(project, now=NOW))


def is_empty(project: Project) -> bool:
    """Nothing is left in the ledger, nor, once folded, in any rollup."""
    fold_lane(project.lane, now=NOW, wait=True)
    tables = ("call", "run", "content", "inbox", "usage", "usage_day", "customer_bucket", "customer_day",
              "run_bucket", "run_day", "audience_day", "exemplar")  # fmt: skip
    counts = {table: rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables}
    assert not any(counts.values()), counts
    return True


class Cut(Exception):
    """The import ends here."""

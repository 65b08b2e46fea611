"""The rollup families: each in quarter hours and in days of the project's zone, and coarser; declared once."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from accounts.models import Project


class Family(NamedTuple):
    """A rollup's two tables, its key beside project and time, and its mergeable values."""

    quarter: str
    day: str
    keys: tuple[str, ...]
    sums: tuple[str, ...]
    histograms: tuple[str, ...]


_TOKENS = (
    "input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning", "audio_input", "audio_output",
    "timed_output", "timed_us",
)  # fmt: skip
_COSTS = (
    "cost_input", "cost_cache_read", "cost_cache_write", "cost_output", "cost_other", "cost_unsplit", "wasted",
)  # fmt: skip
FAMILIES = (
    Family(
        "usage", "usage_day", ("series_id", "error_class"),
        ("calls", "duplicates", "partial", "unpriced", *_TOKENS, *_COSTS), ("latency", "ttft"),
    ),
    Family(
        "customer_bucket", "customer_day", ("customer_id", "series_id"),
        ("calls", "errors", "duplicates", "partial", "unpriced", *_TOKENS, *_COSTS), (),
    ),
    Family(
        "run_bucket", "run_day", ("series_id",),
        ("runs", "successes", "failures", "rescued", "cost", "value"), ("duration", "cost_histogram"),
    ),
    Family(
        "score_bucket", "score_day", ("series_id", "scorer_id"),
        ("n", "judged", "passed", "sum", "squares"), ("counts",),
    ),
    Family(
        "sign_bucket", "sign_day", ("series_id",),
        ("flagged", "cut_off", "filtered", "empty_answer", "failed_tool"), (),
    ),
)  # fmt: skip


class Coarse(NamedTuple):
    """Coarse rollups of a fine table: of its quarter hours or days, and of their months ("" = none).

    `alive`: of a row in which all of these are 0 nothing is left."""

    fine: str
    table: str
    month: str
    levels: tuple[int, ...]
    alive: tuple[str, ...] = ("calls", "duplicates")


# What a level is called in `series`: a row of this level has the id that its series have there.
LEVEL_COLUMNS = {1: "coarse_id", 2: "by_flow", 3: "by_model", 4: "by_environment"}
# What of the series each level knows, the coarsest first.
LEVELS: dict[int, frozenset[str]] = {
    4: frozenset({"environment"}),
    3: frozenset({"environment", "provider", "model"}),
    2: frozenset({"environment", "flow_id"}),
    1: frozenset({"environment", "flow_id", "provider", "model"}),
}
COARSE = (
    Coarse("usage", "usage_coarse", "", (2, 3)),
    Coarse("usage_day", "usage_coarse_day", "usage_coarse_month", (1, 2, 3)),
    Coarse("customer_day", "customer_coarse_day", "customer_coarse_month", (4,)),
    Coarse("run_bucket", "run_coarse", "", (2, 3), ("runs",)),
    Coarse("run_day", "run_coarse_day", "run_coarse_month", (1, 2, 3), ("runs",)),
)
COARSE_OF = {coarse.fine: coarse for coarse in COARSE}


def day_bounds(project: Project, day: date) -> tuple[datetime, datetime]:
    """Start and end of a day of the project, as instants."""
    return _start(project, day), _start(project, day + timedelta(days=1))


def _start(project: Project, day: date) -> datetime:
    """When a day begins: in the zone that held then, for a change of zone applies from a midnight on."""
    for past in project.earlier_zones:
        start = datetime.combine(day, time(), ZoneInfo(past["zone"]))
        if start < datetime.fromisoformat(past["until"]):
            return start
    return datetime.combine(day, time(), ZoneInfo(project.zone))

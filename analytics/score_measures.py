"""How score measures come out of stored sums: `score:<name>`, `score_count:<name>`, `pass_rate:<name>`. Pure.

The parts of a score carry its name (`n:thumbs`), so that several scores fit into one answer.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from analytics.intervals import Interval, of_mean, wilson

Parts = Mapping[str, Any]
SCORE, COUNT, RATE = "score", "score_count", "pass_rate"
PREFIXES = (SCORE, COUNT, RATE)
# Quality without an evaluator: what runs themselves tell, and the part that counts it. Rescued runs are in run rollups.
SIGNS = {
    "cut_off": "Runs in which an answer was cut off by its length limit, of all runs.",
    "filtered": "Runs in which a content filter stepped in, of all runs.",
    "empty_answer": "Runs in which a call ended by itself and said nothing, of all runs.",
    "failed_tool": "Runs in which a tool failed, of all runs.",
    "rescued": "Runs in which a failed attempt was followed by one that succeeded, of all runs.",
}


class Shape(NamedTuple):
    """What a score measure is made of: parts, how they combine, how sure the result is, and what it is in."""

    parts: tuple[str, ...]
    combine: Callable[[Parts], Any]
    interval: Callable[[Parts], Interval | None] | None
    unit: str
    sentence: str


def split(name: str) -> tuple[str, str] | None:
    """(prefix, score's name) of the name of a score measure, else None."""
    prefix, colon, score = name.partition(":")
    return (prefix, score) if colon and score and prefix in PREFIXES else None


def shape_of(prefix: str, score: str) -> Shape:
    """The shape of one score measure."""
    return (_of_sign if score in SIGNS else _of_score)(prefix, score)


def _of_score(prefix: str, score: str) -> Shape:
    n, total, squares, judged, passed = (
        f"{part}:{score}" for part in ("n", "sum", "squares", "judged", "passed")
    )
    if prefix == COUNT:
        return Shape((n,), _count(n), None, "scores", f"How many scores {score} there are.")
    if prefix == RATE:
        return Shape(
            (judged, passed), _share(passed, judged), _wilson(passed, judged), "ratio",
            f"Scores {score} that pass by their definition, of those that it judges.",
        )  # fmt: skip

    def interval(parts: Parts) -> Interval | None:
        """Values that are all 0 or 1 are their own squares: theirs is the interval of a rate."""
        count, added, squared = parts.get(n) or 0, parts.get(total), parts.get(squares)
        if not count or added is None or squared is None:
            return None
        if added == squared and added == added.to_integral_value() and 0 <= added <= count:
            return wilson(int(added), count)
        return of_mean(count, added, squared)

    return Shape((n, total, squares), _mean(total, n), interval, "score", f"Mean of the scores {score}.")


def _of_sign(prefix: str, sign: str) -> Shape:
    if prefix == COUNT:
        return Shape(("runs",), _count("runs"), None, "runs", "Runs, each of which is looked at.")
    if prefix == RATE:
        return Shape(
            ("runs", sign),
            lambda parts: (
                (parts["runs"] - (parts.get(sign) or 0)) / parts["runs"] if parts.get("runs") else None
            ),
            lambda parts: wilson((parts.get("runs") or 0) - (parts.get(sign) or 0), parts.get("runs") or 0),
            "ratio",
            f"The runs that are not: {SIGNS[sign]}",
        )
    return Shape(("runs", sign), _share(sign, "runs"), _wilson(sign, "runs"), "ratio", SIGNS[sign])


def _count(part: str) -> Callable[[Parts], int]:
    return lambda parts: int(parts.get(part) or 0)


def _share(over: str, under: str) -> Callable[[Parts], float | None]:
    return lambda parts: (parts.get(over) or 0) / parts[under] if parts.get(under) else None


def _wilson(over: str, under: str) -> Callable[[Parts], Interval | None]:
    return lambda parts: wilson(int(parts.get(over) or 0), int(parts.get(under) or 0))


def _mean(total: str, n: str) -> Callable[[Parts], float | None]:
    def combine(parts: Parts) -> float | None:
        added: Decimal | None = parts.get(total)
        return float(added / parts[n]) if added is not None and parts.get(n) else None

    return combine

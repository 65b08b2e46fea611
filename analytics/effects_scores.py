"""The effects of a change on scores, and on what runs themselves tell. Scores of unlike judges are not compared."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from accounts.models import Project
from analytics import effects_stats as stats
from analytics.cells import merged
from analytics.effects_read import Parts, Side, Sides, read_cells
from analytics.score_measures import SIGNS
from analytics.scores_models import ScoreDefinition

ENOUGH_SCORES = 30  # on each side
MOST = 20  # scores of a project that are tested
JUDGE_CHANGED = "judge changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreEffect:
    """One score before and after, tested where it can be; `comparable` False: the judge became another."""

    name: str
    unit: str
    good: str
    counted: str
    before: float | None
    after: float | None
    n_before: int
    n_after: int
    test: stats.Test | None
    comparable: bool = True


def score_effects(project: Project, sides: Sides, *, now: datetime) -> Iterator[ScoreEffect]:
    """Every score that the flow has on a side, by name; then the signs that some run has."""
    definitions = {
        one.name: one for one in ScoreDefinition.objects.filter(project=project).order_by("name")[:MOST]
    }
    if definitions:
        before, after = (_by_judge(side, definitions, now) for side in (sides.before, sides.after))
        for definition in definitions.values():
            found = _score(definition, before, after)
            if found is not None:
                yield found
    yield from _signs(sides, now)


def _by_judge(side: Side, names: Iterable[str], now: datetime) -> dict[str, Parts]:
    """The parts of all scores of a side by the judge's version."""
    measures = tuple(f"{prefix}:{name}" for name in names for prefix in ("score", "pass_rate"))
    query = replace(side.query, measures=measures, group_by=("judge_version",))
    cells = read_cells(query, now)
    return {str(key[1]): parts for key, parts in cells.items()}


def _score(
    definition: ScoreDefinition, before: Mapping[str, Parts], after: Mapping[str, Parts]
) -> ScoreEffect | None:
    counts = [_counts(definition.name, side) for side in (before, after)]
    if not any(counts):
        return None
    both = counts[0].keys() & counts[1].keys()
    chosen = max(
        both, key=lambda version: (min(counts[0][version], counts[1][version]), version), default=None
    )
    values = [_values(definition, side, chosen) for side in (before, after)]
    n_before, n_after = (one.n for one in values)
    enough = chosen is not None and min(n_before, n_after) >= ENOUGH_SCORES
    return ScoreEffect(
        name=definition.name,
        unit="score" if definition.kind == "numeric" else "share",
        good="up" if definition.kind == "categorical" else definition.good,
        counted="scores",
        before=values[0].mean if n_before else None,
        after=values[1].mean if n_after else None,
        n_before=n_before,
        n_after=n_after,
        test=_test(definition, values[0], values[1]) if enough else None,
        comparable=chosen is not None or not all(counts),
    )


def _counts(name: str, side: Mapping[str, Parts]) -> dict[str, int]:
    found = {version: int(parts.get(f"n:{name}") or 0) for version, parts in side.items()}
    return {version: count for version, count in found.items() if count}


def _values(definition: ScoreDefinition, side: Mapping[str, Parts], version: str | None) -> stats.Sample:
    """Of one judge's version; of all where there is none in common: shown, not tested."""
    parts = merged(
        [dict(side[version])] if version is not None and version in side else map(dict, side.values())
    )
    name = definition.name
    if definition.kind == "categorical":
        judged, passed = int(parts.get(f"judged:{name}") or 0), int(parts.get(f"passed:{name}") or 0)
        return _rate(passed, judged)
    n, total = int(parts.get(f"n:{name}") or 0), float(parts.get(f"sum:{name}") or 0)
    if definition.kind == "boolean":
        return _rate(round(total), n)
    squares = float(parts.get(f"squares:{name}") or 0)
    variance = max(0.0, (squares - total * total / n) / (n - 1)) if n > 1 else 0.0
    return stats.Sample(n, total / n if n else 0.0, variance)


def _rate(hits: int, n: int) -> stats.Sample:
    mean = hits / n if n else 0.0
    return stats.Sample(n, mean, mean * (1 - mean))


def _test(definition: ScoreDefinition, before: stats.Sample, after: stats.Sample) -> stats.Test | None:
    if definition.kind == "numeric":
        return stats.means(before, after)
    return stats.rates(*((round(side.mean * side.n), side.n) for side in (before, after)))


def _signs(sides: Sides, now: datetime) -> Iterator[ScoreEffect]:
    """What is wrong with runs on the face of it: rates of all runs; those that no run has are left out."""
    query = tuple(f"score:{name}" for name in SIGNS)
    parts = [
        merged(read_cells(replace(side.query, measures=query), now).values())
        for side in (sides.before, sides.after)
    ]
    for name in SIGNS:
        hits = [(int(side.get(name) or 0), int(side.get("runs") or 0)) for side in parts]
        if any(hit for hit, _ in hits):
            yield _sign(name, hits[0], hits[1])


def _sign(name: str, before: tuple[int, int], after: tuple[int, int]) -> ScoreEffect:
    return ScoreEffect(
        name=name.replace("_", " "),
        unit="ratio",
        good="down",
        counted="runs",
        before=_share(before),
        after=_share(after),
        n_before=before[1],
        n_after=after[1],
        test=stats.rates(before, after),
    )


def _share(hits: tuple[int, int]) -> float | None:
    return hits[0] / hits[1] if hits[1] else None

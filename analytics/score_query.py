"""Which scorers answer a question about scores: of unlike ones only those that are asked for, and never silently.

A scorer is a name, a source and a judge's version. Without grouping or filtering by `source` the definition's own
source is meant, without `judge_version` the version that was seen first most recently; notes say so.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from accounts.models import Project
from analytics.dimensions import NONE, SCORES
from analytics.query import Query
from analytics.score_measures import SIGNS, split
from analytics.scores_models import ScoreDefinition
from analytics.sources import Source

_SUMS = {"n": "n", "judged": "judged", "passed": "passed"}
_NUMBERS = {"sum": "sum", "squares": "squares"}
_COLUMNS = ("series_id", "scorer_id", "project_id", "n", "judged", "passed", "sum", "squares")


class Scorer(NamedTuple):
    """Who scores."""

    id: int
    name: str
    source: str
    judge_version: str | None
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Chosen:
    """The scorers of each asked name, and what must be said of those that are left out."""

    scorers: Mapping[str, tuple[Scorer, ...]]
    notes: tuple[str, ...]


def score_names(query: Query) -> tuple[str, ...]:
    """The scores that a question's measures are about, telemetry's aside."""
    found = (split(measure) for measure in query.measures)
    return tuple(dict.fromkeys(one[1] for one in found if one and one[1] not in SIGNS))


def scorers_of(project: Project, names: Iterable[str]) -> list[Scorer]:
    """All scorers of these names, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, name, source, judge_version, first_seen_at FROM scorer"
            " WHERE project_id = %s AND name = ANY(%s) ORDER BY first_seen_at, id",
            [project.pk, list(names)],
        )
        return [Scorer(*row) for row in cursor.fetchall()]


def chosen(query: Query) -> Chosen:
    """The scorers that answer a question."""
    names = score_names(query)
    known = scorers_of(query.project, names)
    own = dict(
        ScoreDefinition.objects.filter(project=query.project, name__in=names).values_list("name", "source")
    )
    scorers: dict[str, tuple[Scorer, ...]] = {}
    notes: list[str] = []
    for name in names:
        mine = [one for one in known if one.name == name and _passes(one, query)]
        if not _asked(query, "source"):
            mine = _of_own_source(name, mine, own.get(name, ""), notes)
        if not _asked(query, "judge_version"):
            mine = list(_newest(name, mine, notes))
        scorers[name] = tuple(mine)
    return Chosen(scorers, tuple(notes))


def _asked(query: Query, dimension: str) -> bool:
    """Whether rows tell these apart, or one of them was asked for."""
    return dimension in query.group_by or len(query.values_of(dimension)) == 1


def _passes(scorer: Scorer, query: Query) -> bool:
    values = {"source": scorer.source, "judge_version": scorer.judge_version or NONE}
    return all(
        (values[one.dimension] in one.values) != one.negated
        for one in query.filters
        if one.dimension in values
    )


def _of_own_source(name: str, scorers: list[Scorer], own: str, notes: list[str]) -> list[Scorer]:
    sources = list(dict.fromkeys(one.source for one in scorers))
    if len(sources) < 2:
        return scorers
    meant = own if own in sources else sources[0]
    others = ", ".join(source for source in sources if source != meant)
    notes.append(f"{name} counts scores of source {meant}, not of {others}: group by source to see each.")
    return [one for one in scorers if one.source == meant]


def _newest(name: str, scorers: list[Scorer], notes: list[str]) -> Iterator[Scorer]:
    """Of each source the newest judge version."""
    by_source: dict[str, list[Scorer]] = {}
    for one in scorers:
        by_source.setdefault(one.source, []).append(one)
    for versions in by_source.values():
        if len(versions) > 1:
            notes.append(
                f"{name} counts judge version {versions[-1].judge_version or NONE}, the newest of {len(versions)}:"
                " group by judge_version to see each."
            )
        yield versions[-1]


def source_for(found: Chosen) -> Source:
    """The score rollups as a source: parts of each score by its scorers, rows of no other."""
    ids = {
        name: ", ".join(str(one.id) for one in scorers) or "NULL" for name, scorers in found.scorers.items()
    }
    parts = {"scores": "sum(u.n)::bigint"}
    for name, listed in ids.items():
        mine = f"FILTER (WHERE u.scorer_id IN ({listed}))"
        parts |= {f"{part}:{name}": f"(sum(u.{column}) {mine})::bigint" for part, column in _SUMS.items()}
        parts |= {f"{part}:{name}": f"sum(u.{column}) {mine}" for part, column in _NUMBERS.items()}
    every = ", ".join(str(one.id) for scorers in found.scorers.values() for one in scorers) or "NULL"
    return Source(
        name=SCORES, family="scores", day_table="score_day", fine_table="score_bucket", columns=_COLUMNS,
        parts=parts, condition=f"u.scorer_id IN ({every})",
    )  # fmt: skip


def kinds_of(query: Query) -> dict[str, str]:
    """The type of each score that is asked for."""
    rows = ScoreDefinition.objects.filter(project=query.project, name__in=score_names(query))
    return dict(rows.values_list("name", "kind"))

"""`GET /v1/dimensions/score`: the scores that a project has, what they mean and who gives them."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from analytics import openapi
from analytics.answer import answer
from analytics.api import ReadView
from analytics.output import json_response
from analytics.query import parse
from analytics.score_measures import SIGNS
from analytics.score_query import Scorer, scorers_of
from analytics.scores_models import ScoreDefinition

DAYS = "28d"
_SCORER = openapi.thing(
    source=openapi.TEXT, judge_version=openapi.optional(openapi.TEXT), first_seen_at=openapi.TIME
)
_VALUE = openapi.thing(
    value=openapi.TEXT, scores=openapi.WHOLE, kind=openapi.TEXT, good=openapi.TEXT, low=openapi.optional(openapi.TEXT),
    high=openapi.optional(openapi.TEXT), threshold=openapi.optional(openapi.TEXT), labels=openapi.listed(openapi.TEXT),
    passing=openapi.listed(openapi.TEXT), target=openapi.TEXT, source=openapi.TEXT,
    confirmed={"type": "boolean"}, scorers=openapi.listed(_SCORER), description=openapi.TEXT,
)  # fmt: skip
ANSWERS = openapi.answers(openapi.thing(dimension=openapi.TEXT, values=openapi.listed(_VALUE)))


class ScoreNames(ReadView):
    """The scores of a project."""

    @extend_schema(
        operation_id="score_names", parameters=openapi.DIMENSION, responses=ANSWERS, tags=["read"],
        summary="Scores by name, with what they mean and who gives them",
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """Names with their scores of 28 days, by name; those of telemetry, which every project has, at the end."""
        wanted = request.query_params.get("q", "").casefold()
        definitions = ScoreDefinition.objects.filter(project=self.project).order_by("name")
        found = [one for one in definitions if wanted in one.name.casefold()]
        scorers = scorers_of(self.project, [one.name for one in found])
        counts = self._counts([one.name for one in found if "," not in one.name])
        values = [
            _value(
                one,
                counts.get(f"score_count:{one.name}", 0),
                [who for who in scorers if who.name == one.name],
            )
            for one in found
        ]
        values += [_sign(name, text) for name, text in SIGNS.items() if wanted in name]
        return json_response({"dimension": "score", "values": values})

    def _counts(self, names: list[str]) -> dict[str, int]:
        if not names:
            return {}
        now = timezone.now()
        measures = ",".join(f"score_count:{name}" for name in names)
        query = parse({"measures": [measures], "period": [DAYS]}, project=self.project, now=now)
        return answer(query, now=now, trust=False).totals


def _value(one: ScoreDefinition, count: int, scorers: list[Scorer]) -> dict[str, Any]:
    bounds = {name: getattr(one, name) for name in ("low", "high", "threshold")}
    return {
        "value": one.name, "scores": count, "kind": one.kind, "good": one.good,
        **{name: None if value is None else value.normalize() for name, value in bounds.items()},
        "labels": one.labels, "passing": one.passing, "target": one.target, "source": one.source,
        "confirmed": one.confirmed_at is not None, "description": one.description,
        "scorers": [
            {"source": who.source, "judge_version": who.judge_version, "first_seen_at": who.first_seen_at}
            for who in scorers
        ],
    }  # fmt: skip


def _sign(name: str, text: str) -> dict[str, Any]:
    """What runs themselves tell: a boolean of every run, never primary by itself."""
    return {
        "value": name, "scores": 0, "kind": "boolean", "good": "down", "low": None, "high": None, "threshold": None,
        "labels": [], "passing": [], "target": "run", "source": "telemetry", "confirmed": True, "scorers": [],
        "description": text,
    }  # fmt: skip

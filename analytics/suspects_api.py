"""`GET /v1/quality/suspects`: the changes of a period with their tested effect on each score, the clearest first."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from analytics.api import ReadView
from analytics.changes_api import CHANGE, LIST, cursor_of, wanted_from
from analytics.changes_list import line_body, page
from analytics.effects import BETTER, NOT_COMPARABLE, TOO_FEW, UNCLEAR, WORSE, Effect
from analytics.effects_store import measured
from analytics.openapi import NUMBER, TEXT, WHOLE, answers, listed, optional, parameter, thing
from analytics.output import json_response

ORDER = (WORSE, BETTER, UNCLEAR, TOO_FEW, NOT_COMPARABLE)
EFFECT = thing(
    flow=optional(TEXT), measure=TEXT, unit=TEXT, before=optional(NUMBER), after=optional(NUMBER), n_before=WHOLE,
    n_after=WHOLE, difference=optional(NUMBER), low=optional(NUMBER), high=optional(NUMBER), sd=optional(NUMBER),
    q=optional(NUMBER), verdict=TEXT, reason=optional(TEXT),
)  # fmt: skip
SUSPECTS = answers(
    thing(suspects=listed(thing(change=CHANGE, effect=EFFECT)), tests=WHOLE, next=optional(TEXT))
)
PARAMETERS = [*LIST, parameter("measures", "`scores` (default), or `all`: cost, latency and errors too.",
                               enum=["scores", "all"])]  # fmt: skip


class Suspects(ReadView):
    """What moved quality."""

    @extend_schema(operation_id="suspects", parameters=PARAMETERS, responses=SUSPECTS, tags=["read"])
    def get(self, request: Request) -> HttpResponse:
        """Changes by filters (newest 100 unless told otherwise) with what they did, as it was measured last.

        Verdicts are given over all tests of this answer (Benjamini-Hochberg)."""
        wanted = wanted_from(request.query_params, self.project, timezone.now())
        found = page(self.project, wanted)
        kept = measured(self.project, found.lines)
        scores_only = request.query_params.get("measures") != "all"
        pairs = [
            (line, effect)
            for line in found.lines
            for effect in kept.get(line.id, ())
            if (effect.measure.startswith("score:") or not scores_only)
            and (not wanted.flows or effect.flow in ("", *wanted.flows))
        ]
        pairs.sort(key=lambda pair: _strength(pair[1]))
        suspects = [{"change": line_body(line), "effect": effect_body(effect)} for line, effect in pairs]
        following = cursor_of(found.next) if found.next else None
        tests = sum(effect.q is not None for effects in kept.values() for effect in effects)
        return json_response({"suspects": suspects, "tests": tests, "next": following})


def _strength(effect: Effect) -> tuple[int, float, float]:
    """By verdict, then by how sure, then by how large."""
    place = ORDER.index(effect.verdict) if effect.verdict in ORDER else ORDER.index(UNCLEAR)
    return place, effect.q if effect.q is not None else 1.0, -abs((effect.better or (0.0, 0.0, 0.0))[1])


def effect_body(effect: Effect) -> dict[str, Any]:
    """An effect as the API gives it; the interval is of the difference, in the measure's unit."""
    test = effect.test
    return {
        "flow": effect.flow or None, "measure": effect.measure, "unit": effect.unit, "before": effect.before,
        "after": effect.after, "n_before": effect.n_before, "n_after": effect.n_after,
        "difference": test and test.difference, "low": test and test.low, "high": test and test.high,
        "sd": test and test.sd, "q": effect.q, "verdict": effect.verdict, "reason": effect.reason or None,
    }  # fmt: skip

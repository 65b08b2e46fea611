"""Effects that were measured and kept: measured again while a change is young, judged together when they are read."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from accounts.errors import ApiError
from accounts.models import Project
from analytics.apart import apart
from analytics.changes_list import Line, one
from analytics.changes_measured import Measured
from analytics.changes_models import Change
from analytics.effects import Effect, OnFlow, effects_of, judged
from analytics.effects_stats import Test
from analytics.effects_windows import LONGEST

YOUNG = timedelta(days=2)  # since it happened, or was recorded: measured again every quarter hour
AGAIN, LATER = timedelta(minutes=15), timedelta(hours=3)
OLDEST = LONGEST + timedelta(days=7)  # older ones are measured once: their windows are over
SECONDS = 10.0  # of one task
PLAIN = ("flow", "measure", "label", "unit", "good", "n_before", "n_after", "counted", "reason")


def measure(*, now: datetime, seconds: float = SECONDS) -> int:
    """Measure the changes that are due, the newest first, at most so long; returns how many."""
    until, done = time.monotonic() + seconds, 0
    for change in _due(now):
        if time.monotonic() > until:
            break
        with apart("effects", change.pk):
            done += _measured(change, now)
    return done


def _due(now: datetime) -> Iterable[Change]:
    young = Q(measured__at__lt=now - AGAIN) & (Q(at__gte=now - YOUNG) | Q(recorded_at__gte=now - 4 * AGAIN))
    older = Q(at__gte=now - OLDEST, measured__at__lt=now - LATER)
    found = Change.objects.filter(Q(measured=None) | young | older, at__lte=now)
    return found.select_related("project").order_by("-at")[:500].iterator(chunk_size=50)


def _measured(change: Change, now: datetime) -> int:
    line = one(change.project, change.pk)
    if line is None:
        return 0
    try:
        found = effects_of(change.project, line, now=now)
    except ApiError:  # no table answers for that time any more, or it took too long: said as not measured
        found = ()
    kept = [_kept(effect) for on_flow in found for effect in on_flow.effects]
    if not Change.objects.filter(pk=change.pk).exists():
        return 0
    Measured.objects.update_or_create(change_id=change.pk, defaults={"at": now, "effects": kept})
    return 1


def measured(project: Project, lines: Sequence[Line]) -> dict[int, tuple[Effect, ...]]:
    """The kept effects by change, verdicts given over all that are asked for together."""
    rows = Measured.objects.filter(change__project=project, change__in=[line.id for line in lines])
    found = {row.change_id: tuple(map(_effect, row.effects)) for row in rows}
    together = judged(
        OnFlow(flow=str(number), windows=None, effects=effects) for number, effects in found.items()
    )
    return {int(one.flow): one.effects for one in together}


def _kept(effect: Effect) -> dict[str, Any]:
    test = effect.test
    return {
        **{name: getattr(effect, name) for name in PLAIN},
        "before": _number(effect.before),
        "after": _number(effect.after),
        "test": test and [test.difference, test.low, test.high, test.sd, test.p],
        "verdict": effect.verdict,
    }


def _effect(kept: dict[str, Any]) -> Effect:
    names = ("difference", "low", "high", "sd", "p")
    test = Test(**dict(zip(names, kept["test"], strict=True))) if kept["test"] else None
    return Effect(**{**kept, "test": test})


def _number(value: Any) -> float | None:
    return None if value is None else float(value)

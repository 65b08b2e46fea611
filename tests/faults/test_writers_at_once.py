"""Eight loaders at once on three projects, two of them in one lane, while others fold, rebuild and re-price."""

import itertools
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import LANES, Project
from analytics.fold import fold
from analytics.load import drain
from analytics.pricebook import row_of
from analytics.rebuild import rebuild
from analytics.reprice import reprice
from analytics.verify import verify
from pricing.own import own_price
from tests.analytics.ledger import NOW, call, load, rows, send
from tests.faults.conftest import FINISHED, FULL, SEED, ended, fork
from tests.faults.scenes import NOVEMBER

pytestmark = pytest.mark.usefixtures("database", "small_batches")
CALLS = 20_000 if FULL else 1_500  # a project
SENT_AT_ONCE = 50
LOADERS = 8
FIRST = 101 * LANES  # ids of projects: the first two share a lane


@pytest.fixture
def projects() -> list[Project]:
    numbers = (FIRST + 3, FIRST + LANES + 3, FIRST + 4)
    return [Project.objects.create(pk=number, slug=f"at-once-{number}", name="At once") for number in numbers]


def until(end: float, work: Callable[[], Any]) -> Callable[[], None]:
    """`work` again and again until the clock says `end`, then once more."""

    def go() -> None:
        while time.time() < end:
            work()
        work()

    return go


def stream(draw: random.Random) -> list[list[Any]]:
    """Calls in traces of four, in parts that overlap: one in five is sent twice, and all of them out of order."""
    calls = [
        call(0, id=f"c-{n}", started_us=call(n % 240).started_us + n, trace=f"run-{n // 4}", customer=f"c-{n % 40}",
             provider="house" if n % 5 == 0 else "openai", model="house-1" if n % 5 == 0 else "gpt-4o-mini")
        for n in range(CALLS)
    ]  # fmt: skip
    sent = calls + draw.sample(calls, CALLS // 5)
    draw.shuffle(sent)
    return [sent[start : start + SENT_AT_ONCE] for start in range(0, len(sent), SENT_AT_ONCE)]


def give_price(project: Project, versions: "itertools.count[int]") -> None:
    version = next(versions)
    prices = {"input": Decimal(1 + version % 5), "output": Decimal(10)}
    valid, recorded = datetime(2026, 1, 1, tzinfo=UTC), NOW + timedelta(seconds=version)
    row_of(
        own_price("house", "house-1", prices, valid_from=valid, recorded_at=recorded), project_id=project.pk
    ).save()


def reprice_all(projects: list[Project], versions: "itertools.count[int]") -> None:
    for project in projects:
        give_price(project, versions)
        reprice(project, first=NOVEMBER[0], last=NOVEMBER[1], now=NOW)


def rebuild_all(projects: list[Project]) -> None:
    for project in projects:
        list(rebuild(project, first=NOW.date(), last=NOW.date() + timedelta(days=1), now=NOW))


def test_totals_are_exact_whoever_else_writes(projects):
    draw, versions = random.Random(SEED), itertools.count(1)
    end = time.time() + (60 if FULL else 5)
    children = [fork(until(end, lambda: drain(now=lambda: NOW, seconds=2))) for _ in range(LOADERS)]
    children.append(fork(until(end, lambda: fold(now=NOW))))
    children.append(fork(until(end, lambda: rebuild_all(projects))))
    children.append(fork(until(end, lambda: reprice_all(projects, versions))))
    for parts in zip(*(stream(draw) for _ in projects), strict=True):
        for project, part in zip(projects, parts, strict=True):
            send(project, part)
    assert [ended(child) for child in children] == [FINISHED] * len(children)
    for project in projects:
        load(project)
        assert rows("SELECT count(*), sum(duplicates) FROM call WHERE project_id = %s", project.pk) == [
            (CALLS, CALLS // 5)
        ]
        assert rows("SELECT sum(calls) FROM usage_day WHERE project_id = %s", project.pk) == [(CALLS,)]
        assert rows("SELECT sum(runs) FROM run_day WHERE project_id = %s", project.pk) == [(CALLS // 4,)]
        assert list(verify(project, now=NOW)) == []
    assert rows("SELECT count(*) FROM inbox_dead") == [(0,)]

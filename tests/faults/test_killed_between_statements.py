"""Whoever writes the ledger is killed between any two statements: the next normal run puts all of it right."""

import itertools

import pytest

from accounts.models import Project
from analytics.verify import verify
from tests.faults.conftest import chosen, dies_at, points_of
from tests.faults.scenes import SCENES, Scene, figures

pytestmark = pytest.mark.usefixtures("database", "small_batches")
_numbers = itertools.count(1)


def prepared(scene: Scene) -> Project:
    number = next(_numbers)
    project = Project.objects.create(slug=f"faults-{number}", name="Faults", zone="Asia/Kolkata")
    scene.prepare(project)
    return project


@pytest.mark.parametrize("name", SCENES)
def test_a_kill_between_two_statements_neither_loses_nor_counts_twice(name):
    scene = SCENES[name]
    untouched, counted = prepared(scene), prepared(scene)
    scene.work(untouched)
    expected = figures(untouched)
    points = points_of(lambda: scene.work(counted))
    assert figures(counted) == expected
    assert points > 10
    deaths = 0
    for point in chosen(range(1, points + 1)):
        project = prepared(scene)
        deaths += dies_at(point, lambda: scene.work(project))  # noqa: B023 - done before the next one
        scene.repair(project)
        assert figures(project) == expected, f"killed at {point} of {points}"
        assert list(verify(project, now=scene.now)) == [], f"killed at {point} of {points}"
    assert deaths > 4  # how many statements it takes depends on threads, and on what else the lane has

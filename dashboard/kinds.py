"""The grey word behind a name: a model's provider, a flow's feature. Remembered for a minute."""

from collections.abc import Callable

from django.core.cache import cache
from django.db import connection

from accounts.models import Project
from analytics.models import Flow

SECONDS = 60
Names = dict[str, str]


def kind_of(project: Project, dimension: str) -> Callable[[str], str]:
    """A function from a member's name to what it is of, "" where there is nothing to say."""
    reader = READERS.get(dimension)
    if reader is None:
        return lambda name: ""
    key = f"kinds:{dimension}:{project.id}"
    found: Names | None = cache.get(key)
    if found is None:
        found = reader(project)
        cache.set(key, found, SECONDS)
    names = found
    return lambda name: names.get(name, "")


def _providers(project: Project) -> Names:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT model, min(provider), count(DISTINCT provider) FROM series "
            "WHERE project_id = %s AND model IS NOT NULL GROUP BY model",
            [project.id],
        )
        rows = cursor.fetchall()
    return {
        model: provider if count == 1 else f"{count} providers" for model, provider, count in rows if provider
    }


def _features(project: Project) -> Names:
    known = Flow.objects.filter(project=project, feature__isnull=False, alias_of=None)
    names = known.values_list("name", "feature__name", "feature__alias_of__name")
    return {flow: today or feature or "" for flow, feature, today in names}


READERS: dict[str, Callable[[Project], Names]] = {"model": _providers, "flow": _features}

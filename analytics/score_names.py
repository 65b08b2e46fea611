"""Which scores a project has."""

from accounts.models import Project
from analytics.score_measures import SIGNS, split
from analytics.scores_models import ScoreDefinition


def unknown_score(project: Project, measure: str) -> tuple[str, ...] | None:
    """The names that a question about a score could mean, when its score is not known; None when all is well."""
    found = split(measure)
    if found is None or found[1] in SIGNS:
        return None
    names = tuple(
        ScoreDefinition.objects.filter(project=project).order_by("name").values_list("name", flat=True)
    )
    return None if found[1] in names else (*names, *SIGNS)

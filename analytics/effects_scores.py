"""The effects of a change on scores."""

from typing import Any

from accounts.models import Project


def score_effects(project: Project, flow: str, sides: Any) -> tuple[Any, ...]:
    """Scores are not asked yet."""
    return ()

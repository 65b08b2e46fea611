"""The pages of the place Quality, as tabs."""

from django.urls import reverse

from dashboard.frame import Choice

TABS = (("Scores", "quality"), ("Changes", "changes"))


def tabs(slug: str, current: str) -> tuple[Choice, ...]:
    """The tabs of a project, one of them the present page."""
    return tuple(Choice(label, reverse(name, args=[slug]), name == current) for label, name in TABS)

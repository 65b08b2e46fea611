"""What people and judges thought of Kestrel Desk's answers: scores, with a regression after a prompt change."""

from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from accounts.models import Project
from analytics.demo.product import Plan
from analytics.demo.story import GREW, Story, us
from analytics.models import Flow, FlowQuality, ScoreDefinition

KNOWN = timedelta(days=120)  # scores were introduced so long before the demo was made
JUDGED_ANEW = timedelta(days=45)  # a newer judge since


class Opinion(NamedTuple):
    """A score of one flow: how many of its answers have one, and how many of those are good."""

    flow: str
    name: str
    source: str
    share: float
    good: float


OPINIONS = (
    Opinion(GREW, "right_team", "heuristic", 0.7, 0.945),
    Opinion("support-answer", "thumbs", "user", 0.16, 0.86),
    Opinion("support-answer", "helpfulness", "judge", 0.3, 0.8),
    Opinion("search-answer", "clicked", "heuristic", 0.6, 0.64),
    Opinion("meeting-notes", "thumbs", "user", 0.2, 0.9),
)
PRIMARY = {
    GREW: "right_team",
    "support-answer": "thumbs",
    "search-answer": "clicked",
    "meeting-notes": "thumbs",
}
DROPPED = 0.10  # of right_team since the prompt grew
NUMERIC = "helpfulness"  # 1 to 5; the others are yes or no
TEXTS = {
    "right_team": "The ticket stayed with the team that it was given to.",
    "thumbs": "Whether the user found the answer good.",
    "clicked": "A source of the answer was opened.",
    NUMERIC: "How helpful a judge found the answer, 1 to 5.",
}


def scores_of(story: Story, plan: Plan, at_us: int, call: str) -> list[dict[str, Any]] | None:
    """The scores of a flow's answer, always the same for the same call."""
    if at_us < us(story.anchor - KNOWN):
        return None
    draw = Random(call)  # noqa: S311 - made-up traffic
    found = [
        _score(story, opinion, at_us, draw)
        for opinion in OPINIONS
        if opinion.flow == plan.name and draw.random() < opinion.share
    ]
    return found or None


def _score(story: Story, opinion: Opinion, at_us: int, draw: Random) -> dict[str, Any]:
    score: dict[str, Any] = {"name": opinion.name, "source": opinion.source}
    if opinion.name == NUMERIC:
        newer = at_us >= us(story.anchor - JUDGED_ANEW)
        level = opinion.good - (0.06 if newer else 0.0)  # the newer judge is stricter, the product the same
        value: Any = float(min(5, max(1, round(1 + 4 * draw.betavariate(8 * level, 8 * (1 - level))))))
        return score | {"value": value, "judge_version": "judge-2" if newer else "judge-1"}
    dropped = DROPPED if opinion.flow == GREW and at_us >= story.grown_us else 0.0
    return score | {"value": draw.random() < opinion.good - dropped}


def define(project: Project, *, now: datetime) -> None:
    """The definitions of the scores, confirmed, and what each flow's quality is."""
    since = now - KNOWN
    made = {}
    for opinion in OPINIONS:
        numeric = opinion.name == NUMERIC
        made[opinion.name], _ = ScoreDefinition.objects.get_or_create(
            project=project, name=opinion.name,
            defaults={
                "kind": "numeric" if numeric else "boolean", "source": opinion.source, "confirmed_at": since,
                "first_seen_at": since, "description": TEXTS[opinion.name], "passing": [] if numeric else ["true"],
                "labels": [] if numeric else ["false", "true"],
                **({"low": 1, "high": 5, "threshold": 4} if numeric else {}),
            },
        )  # fmt: skip
    for flow in Flow.objects.filter(project=project, name__in=PRIMARY):
        FlowQuality.objects.get_or_create(flow=flow, defaults={"score": made[PRIMARY[flow.name]]})

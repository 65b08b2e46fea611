"""A flow with a past, for the pages that look for a cause: scores that fell with a prompt version, two models, runs."""

import random
import uuid
from datetime import datetime, timedelta
from decimal import Decimal

from django.core.cache import cache

from accounts.models import Project
from analytics import pricebook
from analytics.changes_notice import notice_in
from analytics.effects_store import measure
from analytics.models import Flow
from analytics.scores_models import FlowQuality, ScoreDefinition
from ingest import inbox
from ingest.records import CallRecord, ScoreRecord, Tokens
from tests.dashboard import desk

FLOW = "support-triage"
DAYS, CHANGED = 12, 5  # days told; the change came so many days ago
A_DAY = 40


def changed_at(now: datetime) -> datetime:
    """When prompt v2 came."""
    return (now - timedelta(days=CHANGED)).replace(hour=9, minute=30, second=0, microsecond=0)


def calls(now: datetime, *, flow: str = FLOW, quiet: bool = False) -> list[CallRecord]:
    """Forty calls a day: v1, then v2, whose answers are longer; `quiet`: v1 all the time."""
    chance = random.Random(flow)
    found = []
    for back in range(DAYS):
        day = (now - timedelta(days=back)).replace(hour=0, minute=0, second=0, microsecond=0)
        for number in range(A_DAY):
            at = day + timedelta(seconds=chance.randrange(86_000))
            if at < now:
                new = at >= changed_at(now) and not quiet
                found.append(_call(chance, at, flow, number, new=new))
    return found


def _call(chance: random.Random, at: datetime, flow: str, number: int, *, new: bool) -> CallRecord:
    failed = chance.random() < 0.03
    model = ("openai", "gpt-4.1-mini") if number % 4 else ("anthropic", "claude-haiku-4-5")
    return CallRecord(
        id=f"{flow}-{chance.getrandbits(60):x}",
        started_us=int(at.timestamp() * 1e6),
        flow=flow,
        feature="Support assistant",
        environment="production",
        customer=f"customer-{number % 3}",
        user=f"u-{number % 9}",
        trace=uuid.UUID(int=chance.getrandbits(128), version=4).hex,
        provider=model[0],
        model=model[1],
        prompt="triage",
        prompt_version="v2" if new else "v1",
        operation="chat",
        step="answer",
        release="web@1",
        tokens=Tokens() if failed else Tokens(input=1200, output=600 if new else 300),
        duration_us=chance.randrange(400_000, 3_000_000) * (2 if new else 1),
        failed=failed,
        error_class="overloaded" if failed else "",
    )


def scores(
    given: list[CallRecord], *, name: str = "resolved", old: float = 0.9, new: float = 0.55
) -> list[ScoreRecord]:
    """One score of each call that did not fail: true for so many of the old version, and of the new one."""
    chance = random.Random(name)
    return [
        ScoreRecord(
            id=f"{name}-{call.id}",
            name=name,
            at_us=call.started_us + 60_000_000,
            call=call.id,
            call_us=call.started_us,
            truth=chance.random() < (new if call.prompt_version == "v2" else old),
        )
        for call in given
        if not call.failed
    ]


def put(project: Project, records: list, *, kind: inbox.Kind, now: datetime) -> None:
    """Into the inbox, and loaded."""
    inbox.put(records, kind=kind, sender=inbox.Sender(project.pk), now=now)
    desk.load()


def tell(project: Project, now: datetime, *, primary: bool = True) -> list[CallRecord]:
    """The story: calls, scores, the change noticed and measured; a quiet flow beside it."""
    pricebook.sync()
    made = calls(now)
    quiet = calls(now, flow="search-answer", quiet=True)
    put(project, [*made, *quiet], kind=inbox.Kind.CALLS, now=now)
    put(project, [*scores(made), *scores(quiet, name="grounded", old=0.85)], kind=inbox.Kind.SCORES, now=now)
    if primary:
        FlowQuality.objects.create(
            flow=Flow.objects.get(project=project, name=FLOW),
            score=ScoreDefinition.objects.get(project=project, name="resolved"),
        )
    notice_in(project, now=now)
    measure(now=now, seconds=60)
    cache.clear()
    return made


def numeric(
    given: list[CallRecord], *, judge: str, name: str = "tone", mean: float = 4.0
) -> list[ScoreRecord]:
    """A judge's numbers around a mean."""
    chance = random.Random(judge)
    return [
        ScoreRecord(
            id=f"{name}-{judge}-{call.id}", name=name, at_us=call.started_us, call=call.id, call_us=call.started_us,
            source="judge", judge_version=judge, number=Decimal(str(round(chance.gauss(mean, 0.4), 2))),
        )
        for call in given
        if not call.failed
    ]  # fmt: skip

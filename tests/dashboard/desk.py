"""Kestrel Desk: a project with two months of made-up calls, for tests of pages."""

import random
import uuid
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from accounts.keys import create_key
from accounts.models import Member, Project, User
from accounts.projects import create_project
from analytics import pricebook
from analytics.load import drain, forget
from ingest import inbox
from ingest.records import CallRecord, Tokens

PASSWORD = "correct horse 42"
FLOWS = (
    ("support-triage", "Support assistant", 6),
    ("support-answer", "Support assistant", 5),
    ("contract-review", "Contract review", 2),
    ("search-answer", "Search answers", 4),
)
MODELS = (
    ("openai", "gpt-4.1"),
    ("openai", "gpt-4.1-mini"),
    ("anthropic", "claude-sonnet-4-5"),
    ("acme", "house-1"),
)
ROLES = ("owner", "editor", "viewer", "stranger")


def person(name: str) -> User:
    return User.objects.create_user(f"{name}@example.com", PASSWORD, name=name.title())


def members() -> dict[str, User]:
    """The four: three members of Kestrel Desk, and one of another project."""
    return {role: person(role) for role in ROLES}


def desk(people: dict[str, User]) -> Project:
    """The project, still empty."""
    made = create_project(name="Kestrel Desk", zone="Europe/Berlin", owners=[people["owner"]])
    Member.objects.create(project=made, user=people["editor"], role="editor")
    Member.objects.create(project=made, user=people["viewer"], role="viewer")
    create_project(name="Elsewhere", owners=[people["stranger"]])
    return made


def records(now: datetime, days: int = 62) -> list[CallRecord]:
    """Calls of two months with a weekly rhythm, some of them in traces, some failed, some without a price."""
    chance = random.Random(7)
    found = []
    for back in range(days):
        day = (now - timedelta(days=back)).replace(hour=0, minute=0, second=0, microsecond=0)
        for flow, feature, volume in FLOWS:
            for number in range(volume if day.weekday() < 5 else 1 + volume // 2):
                at = day + timedelta(seconds=chance.randrange(86_000))
                if at < now:
                    found.append(_call(chance, at, flow, feature, number))
    return found


def _call(chance: random.Random, at: datetime, flow: str, feature: str, number: int) -> CallRecord:
    provider, model = MODELS[chance.randrange(len(MODELS))]
    failed = chance.random() < 0.05
    return CallRecord(
        id=str(uuid.UUID(int=chance.getrandbits(128), version=4)), started_us=int(at.timestamp() * 1e6),
        flow=flow if chance.random() > 0.02 else None, feature=feature, environment="production",
        trace=f"{chance.getrandbits(128):032x}" if number % 2 else None, user=f"u-{number}", customer="acme",
        provider=provider, model=model, prompt=flow, prompt_version="v1", operation="chat", step="answer",
        tokens=Tokens() if failed else Tokens(input=1200, cache_read=300, output=90),
        duration_us=chance.randrange(200_000, 9_000_000), ttft_us=150_000, failed=failed,
        error_class="overloaded" if failed else "",
    )  # fmt: skip


def fill(project: Project) -> None:
    """Its calls, through the inbox and the loader."""
    now = timezone.now()
    pricebook.sync()
    key, _ = create_key(project=project, scopes=["ingest"], name="web backend")
    inbox.put(
        records(now), kind=inbox.Kind.CALLS, sender=inbox.Sender(project.pk, key.pk), now=now, rejected=3
    )
    load()


def load() -> None:
    """Load all that waits. What the loader remembers of the tables is of an earlier test, whose rows are gone."""
    forget()
    while drain(now=lambda: datetime.now(UTC)):
        continue

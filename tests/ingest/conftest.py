"""What tests of the front door share: a project, its key, a client that sends with it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.keys import create_key
from accounts.models import Project
from ingest import floor, inbox
from ingest.models import InboxRow


@pytest.fixture(autouse=True)
def _fresh_state():
    """What a process keeps for a while between requests must not leak between tests."""
    cache.clear()
    inbox.room.due = 0.0
    floor.forget()
    yield
    inbox.room.due = 0.0
    floor.forget()


@pytest.fixture
def project(db) -> Project:
    return Project.objects.create(slug="shop", name="Shop")


@pytest.fixture
def secret(project) -> str:
    return create_key(project=project, scopes=["ingest"])[1]


class Sender:
    """Posts to the front door with a key."""

    def __init__(self, secret: str) -> None:
        self.client = Client(raise_request_exception=True)
        self.secret = secret

    def __call__(
        self, body: Any, *, path: str = "/v1/events", type: str = "application/json", **headers: str
    ):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.secret}", "Content-Type": type} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return self.client.post(path, raw, content_type=type, headers=sent)


@pytest.fixture
def send(secret) -> Sender:
    return Sender(secret)


def moment(**ago: float) -> str:
    """A time that lies a while back, as an event carries it."""
    return (datetime.now(UTC) - timedelta(**ago)).isoformat().replace("+00:00", "Z")


def event(**fields: Any) -> dict[str, Any]:
    """A good event; `fields` change it."""
    good = {"id": "c-1", "timestamp": moment(minutes=1), "model": "gpt-4o-mini"}
    return good | {"usage": {"input_tokens": 10, "output_tokens": 2}} | fields


def stored() -> list[Any]:
    """All records in the inbox, in the order of arrival."""
    rows = InboxRow.objects.order_by("id")
    return [record for row in rows for record in inbox.read_records(row.kind, row.body)]

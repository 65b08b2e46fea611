"""What Celery runs of alerts: one project's trouble, and one message's, stays its own."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.db import connection

from analytics.apart import apart
from guardrails import deliveries, engine, tasks
from guardrails.channels import KINDS
from guardrails.webhook import Answered
from tests.personas import make_project

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_project_that_fails_does_not_keep_the_next_from_its_turn(monkeypatch):
    first, second = make_project(), make_project("other")
    seen = []

    def evaluate(project, *, now):
        if project == first:
            raise KeyError("a rule of another time")
        seen.append(project)

    monkeypatch.setattr(engine, "evaluate_project", evaluate)
    monkeypatch.setattr(tasks, "deliver", lambda: seen.append("deliver"))
    tasks.evaluate()
    assert seen == [second, "deliver"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM heartbeat WHERE name = %s", [tasks.EVALUATOR])
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("problem", [UnicodeError("label too long"), RuntimeError("a library's own")])
def test_whatever_a_kind_of_channel_raises_is_the_answer_of_its_message_alone(monkeypatch, problem):
    def raising(prepared):
        raise problem

    monkeypatch.setitem(KINDS, "webhook", SimpleNamespace(send=raising))
    answer = deliveries._send(SimpleNamespace(kind="webhook"))
    assert answer == Answered(False, None, f"The message could not be sent: {type(problem).__name__}.")


def test_work_apart_tells_what_it_raised(capfd, caplog):
    with apart("budgets", "shop"):
        raise ValueError("no such month")
    assert "work failed" in caplog.text + capfd.readouterr().err

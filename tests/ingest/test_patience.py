"""A database that hangs: whoever waits too long is cut loose, and others are refused at once."""

import time

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections

from ingest import patience
from ingest.patience import patiently


@pytest.fixture(autouse=True)
def waiting(monkeypatch):
    fresh = patience._Waiting(is_looking=True)  # the test looks itself
    monkeypatch.setattr(patience, "waiting", fresh)
    return fresh


def ask_late(waiting) -> None:
    with patiently():
        ((since, _),) = waiting.threads.values()
        waiting.cut_late(since + patience.PATIENCE_SECONDS)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")


@pytest.mark.django_db(transaction=True)
def test_who_waits_too_long_is_cut_loose_and_connects_anew(waiting):
    connection.ensure_connection()
    with pytest.raises(OperationalError):
        ask_late(waiting)
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


@pytest.mark.django_db
def test_who_is_in_time_is_left_alone(waiting):
    with patiently():
        ((since, _),) = waiting.threads.values()
        waiting.cut_late(since + patience.PATIENCE_SECONDS - 0.1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    assert waiting.threads == {}


def test_after_one_was_cut_others_are_refused_for_a_moment(waiting, monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    waiting.shut_until = 100.1
    with pytest.raises(OperationalError), patiently():
        pass
    waiting.shut_until = 100.0
    with patiently():
        pass


def test_while_some_wait_for_long_others_are_refused(waiting, monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    wrapper = connections[DEFAULT_DB_ALIAS]
    long_ago = 100.0 - patience.LONG_SECONDS - 1
    waiting.threads = {1: (long_ago, wrapper)}
    with patiently():
        pass
    waiting.threads = dict.fromkeys(range(patience.MANY), (long_ago, wrapper))
    with pytest.raises(OperationalError), patiently():
        pass

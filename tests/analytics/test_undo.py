"""Undo takes all of an import back, and nothing else; an import that was cut off can be completed or undone."""

import json

import pytest

from accounts.models import AuditLine, Project
from analytics import imports
from analytics.models import ImportBatch
from analytics.undo import CannotUndoError, undo
from ingest import floor, inbox
from tests.analytics.importing import (
    HEADER,
    LEDGER,
    ROWS,
    SUMS,
    Cut,
    brought,
    command,
    differences,
    is_empty,
    written,
)
from tests.analytics.ledger import NOW, call, load, rows, send
from tests.captures import recorded

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_state():
    inbox.room.due = 0.0
    floor.forget()
    yield
    inbox.room.due = 0.0
    floor.forget()


@pytest.fixture
def project() -> Project:
    return Project.objects.create(slug="acme", name="Acme", zone="UTC")


def test_an_import_that_was_cut_off_is_completed_under_its_number(project, tmp_path, monkeypatch):
    lines = [f"2026-11-20T10:00:00.{n:06}Z,gpt-4o-mini,support,{n},0.25" for n in range(12_000)]
    path = written(tmp_path, [HEADER, *lines])
    put, parts = inbox.put, []

    def cut(*args: object, **options: object) -> None:
        parts.append(1)
        if len(parts) == 3:
            raise Cut
        put(*args, **options)

    monkeypatch.setattr(inbox, "put", cut)
    with pytest.raises(Cut):
        brought(project, path)
    monkeypatch.setattr(inbox, "put", put)
    first = ImportBatch.objects.get()
    assert first.finished_at is None
    report = brought(project, path)
    assert report.resumed
    assert report.batch.pk == first.pk
    assert (report.accepted, report.duplicates) == (12_000, 0)
    assert not brought(project, path).resumed
    assert differences(project) == []
    undo(project, first.pk, now=NOW)
    assert is_empty(project)


def test_an_undone_import_that_was_cut_off_can_be_undone_with_what_still_waits(
    project, tmp_path, monkeypatch
):
    path = written(tmp_path, [HEADER, *ROWS])
    monkeypatch.setattr(imports, "settle", lambda *args, **options: (_ for _ in ()).throw(Cut))
    with pytest.raises(Cut):
        brought(project, path)
    assert rows("SELECT count(*) FROM inbox") == [(1,)]
    done = undo(project, ImportBatch.objects.get().pk, now=NOW)
    assert (done.calls, done.waiting) == (0, 3)
    load(project)
    assert is_empty(project)


def test_undo_leaves_what_others_brought(project, tmp_path):
    send(project, [call(n, trace="run-1") for n in range(5)])
    load(project)
    late = [f"2026-11-24T09:02:{n}0Z,gpt-4o-mini,search,10,0.5,run-1,u-9" for n in range(4)]
    path = written(tmp_path, [HEADER + ",trace_id,user", *late])
    before = rows(SUMS), rows("SELECT calls, cost FROM run")
    report = brought(project, path)
    assert rows("SELECT calls FROM run") == [(9,)]
    undo(project, report.batch.pk, now=NOW)
    assert (rows(SUMS), rows("SELECT calls, cost FROM run")) == before
    assert differences(project) == []
    assert AuditLine.objects.filter(action="import.undone", details__calls=4).exists()


def test_undo_in_several_transactions(project, tmp_path, monkeypatch):
    monkeypatch.setattr("analytics.undo.CHUNK", 2)
    lines = [f"2026-11-{1 + n % 20:02}T10:00:00Z,gpt-4o-mini,support,{n},0.25" for n in range(11)]
    report = brought(project, written(tmp_path, [HEADER, *lines]))
    assert undo(project, report.batch.pk, now=NOW).calls == 11
    assert differences(project) == []
    assert is_empty(project)


def test_undo_says_what_it_cannot_undo(project, tmp_path):
    with pytest.raises(CannotUndoError, match="has no import 99"):
        undo(project, 99, now=NOW)
    number = brought(project, written(tmp_path, [HEADER, *ROWS])).batch.pk
    other = Project.objects.create(slug="other", name="Other")
    with pytest.raises(CannotUndoError, match="has no import"):
        undo(other, number, now=NOW)
    undo(project, number, now=NOW)
    with pytest.raises(CannotUndoError, match="was undone already"):
        undo(project, number, now=NOW)
    assert brought(project, written(tmp_path, [HEADER, *ROWS])).accepted == 3


def test_an_import_that_runs_cannot_be_undone(project, tmp_path, monkeypatch):
    number = brought(project, written(tmp_path, [HEADER, *ROWS])).batch.pk
    monkeypatch.setattr("analytics.undo.is_running", lambda batch: True)
    with pytest.raises(CannotUndoError, match="still running"):
        undo(project, number, now=NOW)


def test_traces_are_imported_resolved_and_taken_back(project, tmp_path):
    requests = [request for name in ("langfuse_js", "langfuse_openai") for request in recorded(name)]
    bodies = [json.dumps(json.loads(request.body)) for request in requests if request.json]
    path = written(tmp_path, bodies, "traces.jsonl")
    command("import_calls", "acme", path, "--format", "otlp")
    calls = rows(LEDGER)[0][0]
    first = ImportBatch.objects.get()
    assert first.accepted == calls > 0
    assert command("import_calls", "acme", path, "--format", "otlp")[-2].startswith("0 accepted")
    undo(project, first.pk, now=NOW)
    assert differences(project) == []
    assert is_empty(project)
    assert command("import_calls", "acme", path, "--format", "otlp")[-2].startswith(f"{calls} accepted")

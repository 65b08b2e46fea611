"""Imports: real files come in exactly, and a second time adds nothing."""

import csv
import gzip
import json
import random
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pandas
import pytest
from django.core.management import CommandError

from accounts.models import Project
from analytics import imports
from analytics.load import load_lane
from analytics.models import ImportBatch
from ingest import floor, inbox
from tests.analytics.importing import (
    HEADER,
    LEDGER,
    ROWS,
    SUMS,
    brought,
    command,
    differences,
    is_empty,
    written,
)
from tests.analytics.ledger import call, load, rows, send
from tests.shared import shared

pytestmark = pytest.mark.django_db

AIDER = {
    "timestamp": "ts", "flow": "edit_format", "cost": "cost_usd", "duration_s": "latency_s",
    "usage.input_tokens": "input_tokens", "usage.output_tokens": "output_tokens",
}  # fmt: skip


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


def shuffled(path: Path, target: Path) -> Path:
    with gzip.open(path, "rt", newline="") as file:
        header, *lines = csv.reader(file)
    random.Random(3).shuffle(lines)
    with target.open("w", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return target


class TestAider:
    """2,712 calls of a coding assistant, as its users' log has them."""

    @pytest.fixture
    def path(self) -> Path:
        return shared("data/traffic/aider_calls.csv.gz")

    @pytest.fixture
    def maps(self) -> list[str]:
        return [part for field, column in AIDER.items() for part in ("--map", f"{field}={column}")]

    def test_every_figure_is_that_of_the_file(self, project, path, maps):
        told = command("import_calls", "acme", path, *maps)
        assert "2,712 accepted, 0 duplicate, 0 rejected" in told
        expected = (2712, 43, 27_389_995, 897_004, Decimal("75.619557445999793778256"))
        assert rows(SUMS) == [expected]
        assert rows("SELECT sum(reported_cost), count(*) FILTER (WHERE error_class > 0) FROM call") == [
            (expected[4], 43)
        ]
        frame = pandas.read_csv(path, dtype=str, keep_default_na=False)
        frame["cost"] = [Decimal(text or "0") for text in frame.cost_usd]
        for column in ("input_tokens", "output_tokens"):
            frame[column] = [int(text or "0") for text in frame[column]]
        self._equal_by_model(frame)
        self._equal_by_day(frame)
        assert differences(project) == []

    def _equal_by_model(self, frame: pandas.DataFrame) -> None:
        found = rows(
            "SELECT coalesce(s.model, ''), sum(u.calls), coalesce(sum(u.input), 0), coalesce(sum(u.output), 0),"
            " coalesce(sum(call_cost(cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other,"
            " cost_unsplit)), 0) FROM usage_day u JOIN series s ON s.id = u.series_id GROUP BY 1"
        )
        assert {row[0]: row[1:] for row in found} == _grouped(frame, frame.model)

    def _equal_by_day(self, frame: pandas.DataFrame) -> None:
        found = rows(
            "SELECT day::text, sum(calls), coalesce(sum(input), 0), coalesce(sum(output), 0),"
            " coalesce(sum(call_cost(cost_input, cost_cache_read, cost_cache_write, cost_output, cost_other,"
            " cost_unsplit)), 0) FROM usage_day GROUP BY 1"
        )
        assert {row[0]: row[1:] for row in found} == _grouped(frame, frame.ts.str[:10])

    def test_again_also_shuffled_it_adds_nothing_and_undo_takes_it_back(self, project, path, maps, tmp_path):
        first = command("import_calls", "acme", path, *maps)
        mixed = shuffled(path, tmp_path / "mixed.csv")
        assert "0 accepted, 2,712 duplicate, 0 rejected" in command("import_calls", "acme", mixed, *maps)
        assert rows(LEDGER) == [(2712,)]
        assert differences(project) == []
        number = first[-1].split(";")[0].removeprefix("import ")
        assert command("undo_import", "acme", number) == [f"import {number} undone: 2712 calls taken out"]
        assert differences(project) == []
        assert is_empty(project)

    def test_the_preview_tells_what_would_come_and_writes_nothing(self, project, path, maps):
        told = command("import_calls", "acme", path, *maps, "--dry-run")
        assert "period: 2024-08-13T14:40:43Z to 2025-02-27T22:37:31Z" in told
        assert any(line.startswith("diff  claude-3-5-sonnet-20241022  ") for line in told)
        assert "cost: 43 not_billed, 2,669 reported; reported USD 75.619557445999793778256" in told
        assert told[-1] == ("2,712 would be accepted, 0 duplicate, 0 rejected; nothing was written")
        assert not ImportBatch.objects.exists()
        assert is_empty(project)
        command("import_calls", "acme", path, *maps)
        again = command("import_calls", "acme", path, *maps, "--dry-run")
        assert again[-1].startswith("0 would be accepted, 2,712 duplicate")


def _grouped(frame: pandas.DataFrame, key: pandas.Series) -> dict[str, tuple[object, ...]]:
    return {
        name: (
            len(part),
            int(part.input_tokens.sum()),
            int(part.output_tokens.sum()),
            sum(part.cost, Decimal(0)),
        )
        for name, part in frame.groupby(key)
    }


def _sums(frame: pandas.DataFrame, *columns: str) -> tuple[int, ...]:
    return tuple(int(frame[column].sum()) for column in columns)


def test_the_first_20000_rows_of_a_large_file(project, tmp_path):
    path = shared("data/traffic/deepseek_r1_requests_reconstructed.csv.gz")
    with gzip.open(path, "rt") as file:
        cut = written(tmp_path, [line.rstrip("\n") for line in islice(file, 20_001)])
    report = brought(project, cut, maps={"timestamp": "ts"}, sets={"model": "deepseek-r1"})
    frame = pandas.read_csv(cut)
    assert (report.accepted, report.duplicates) == (20_000, 0)
    assert rows(SUMS)[0][:4] == (20_000, 0, *_sums(frame, "input_tokens", "output_tokens"))
    assert rows("SELECT sum(reasoning) FROM usage_day") == [_sums(frame, "reasoning_tokens")]
    assert differences(project) == []


def test_identical_rows_are_as_many_calls_as_there_are(project, tmp_path):
    path = written(tmp_path, [HEADER, *ROWS])
    assert brought(project, path).accepted == 3
    assert brought(project, written(tmp_path, [HEADER, *reversed(ROWS), ROWS[0]])).accepted == 1
    assert rows(SUMS)[0][0] == 4


def test_a_row_that_came_through_the_api_is_a_duplicate(project, tmp_path):
    known = call(1)
    send(project, [known])
    load(project)
    at = datetime.fromtimestamp(known.started_us / 1e6, UTC).isoformat()
    path = written(
        tmp_path, ["id,timestamp,model", f"{known.id},{at},gpt-4o-mini", f"other,{at},gpt-4o-mini"]
    )
    report = brought(project, path)
    assert (report.accepted, report.duplicates, report.seen.rejected) == (1, 1, 0)


def test_rejected_rows_are_named_by_line_and_all_counted(project, tmp_path):
    bad = [f"2026-11-20T10:00:{n:02}Z,gpt-4o-mini,support,many,0.25" for n in range(30)]
    told = command("import_calls", "acme", written(tmp_path, [HEADER, ROWS[0], *bad]))
    assert told[0] == (
        "line 3: usage.input_tokens: Expected a whole number, got a text. "
        "Send a whole number, or leave the field out."
    )
    assert sum(line.startswith("line ") for line in told) == 20
    assert "and 10 more lines rejected" in told
    assert "1 accepted, 0 duplicate, 30 rejected" in told
    batch = ImportBatch.objects.get()
    assert (batch.read, batch.accepted, batch.duplicates, batch.rejected) == (31, 1, 0, 30)
    assert rows("SELECT sum(accepted), sum(rejected) FROM intake") == [(1, 30)]


def test_an_import_does_not_run_ahead_of_a_loader_that_holds_the_lane(project, tmp_path, monkeypatch):
    lines = [f"2026-11-20T10:00:00.{n:06}Z,gpt-4o-mini,support,{n},0.25" for n in range(60_000)]
    waiting, real = [], load_lane

    def held(lane: int, *, now: datetime) -> object:
        waiting.append(rows("SELECT sum(items) FROM inbox")[0][0])
        return None if waiting[-1] < 50_000 or len(waiting) % 3 else real(lane, now=now)

    monkeypatch.setattr(imports, "load_lane", held)
    monkeypatch.setattr(imports, "PAUSE", 0)
    monkeypatch.setattr(imports, "settle", lambda lane, batch, *, now: load(project))
    assert brought(project, written(tmp_path, [HEADER, *lines])).accepted == 60_000
    assert max(waiting) == 50_000


def test_events_as_json_lines_go_the_way_of_the_api(project, tmp_path):
    events = [
        {
            "id": "a",
            "timestamp": "2026-11-20T10:00:00Z",
            "model": "gpt-4o-mini",
            "usage": {"input_tokens": 5},
        },
        {"timestamp": "2026-11-20T10:00:00Z", "model": "gpt-4o-mini", "cost": 0.25},
        {"timestamp": "2026-11-20T10:00:00Z", "model": "gpt-4o-mini", "cost": 0.25},
        {"id": "b", "timestamp": "2026-11-20T10:00:00", "model": "gpt-4o-mini"},
        {"id": "c", "timestamp": "2026-11-20T10:00:00Z", "model": "gpt-4o-mini", "mood": "good"},
    ]
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress("\n\n".join([json.dumps(event) for event in events] + ["{oops"]).encode()))
    told = command("import_calls", "acme", path)
    assert "note: mood: Unknown field, kept as a tag." in told
    assert any(line.startswith("line 7: timestamp: The time has no offset.") for line in told)
    assert any(line.startswith("line 11: Line 11 cannot be read") for line in told)
    assert "4 accepted, 0 duplicate, 2 rejected" in told
    assert "0 accepted, 4 duplicate, 2 rejected" in command("import_calls", "acme", path)


def test_json_lines_with_other_names(project, tmp_path):
    lines = ['{"when": "2026-11-20T10:00:00Z", "meta": {"flow": "support"}, "secs": 1.5, "in": 7}']
    path = written(tmp_path, lines, "log.jsonl")
    maps = ("timestamp=when", "flow=meta.flow", "duration_s=secs", "usage.input_tokens=in")
    told = command("import_calls", "acme", path, *[p for m in maps for p in ("--map", m)], "--set", "model=m")
    assert "1 accepted, 0 duplicate, 0 rejected" in told
    assert rows("SELECT duration_us, input FROM call") == [(1_500_000, 7)]


@contextmanager
def refused(match: str):
    with pytest.raises(CommandError, match=match):
        yield


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.csv"], "cannot be opened: No such file"),
        (["log.txt"], "give --format"),
        (["calls.csv", "--format", "langfuse", "--set", "flow=a"], "do not apply to langfuse"),
        (["calls.csv", "--map", "timestamp"], "write it as FIELD=VALUE"),
        (["calls.csv", "--map", "flwo=model"], "no field 'flwo'. Did you mean flow"),
        (["calls.csv", "--map", "user=person"], "no column 'person'"),
        (["calls.csv", "--zone", "Mars"], "no time zone"),
        (["calls.csv", "--set", "currency=euro"], "--set cannot be used"),
        (["calls.csv", "--set", "flow=a", "--map", "flow=model"], "given twice"),
        (["events.jsonl", "--zone", "UTC"], "applies to csv only"),
        (["events.jsonl", "--format", "otlp", "--set", "flow=a"], "do not apply to otlp"),
        (["cut.csv.gz"], "damaged or ends too early"),
        (["nameless.csv"], "Nothing says the timestamp"),
        (["empty.csv"], "has no header"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said_in_a_sentence_and_leaves_nothing(project, tmp_path, arguments, message):
    written(tmp_path, [HEADER, *ROWS])
    written(tmp_path, ["{}"], "events.jsonl")
    written(tmp_path, ["when,model", "2026-11-20,m"], "nameless.csv")
    written(tmp_path, [], "empty.csv")
    whole = gzip.compress("\n".join([HEADER, *ROWS]).encode())
    (tmp_path / "cut.csv.gz").write_bytes(whole[:-12])
    with refused(message):
        command("import_calls", "acme", tmp_path / arguments[0], *arguments[1:])
    assert not ImportBatch.objects.exists()
    assert Counter(rows("SELECT 1 FROM inbox")) == Counter()


def test_redaction_rules_hold_for_imports_too(project, tmp_path):
    project.redactions = [{"pattern": "u-[0-9]+", "replacement": "[user]"}]
    project.save()
    brought(project, written(tmp_path, [HEADER + ",user", f"{ROWS[0]},u-77"]))
    assert rows("SELECT value FROM name WHERE kind = 2") == [("[user]",)]

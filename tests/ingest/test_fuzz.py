"""Mutated bodies: whatever comes, the answer is never a 5xx, and what was taken can be stored and read.

5,000 of them by default; `FUZZ=100000` for a long run, `FUZZ_SEED` for another one.
"""

import gzip
import json
import os
import random
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ingest import inbox
from ingest.models import InboxRow
from tests.ingest.conftest import event
from tests.ingest.test_export import as_json, protobuf

pytestmark = pytest.mark.django_db

BODIES = int(os.environ.get("FUZZ", "5000"))
SEED = int(os.environ.get("FUZZ_SEED", "20261124"))
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1.5, -0.0, 1e308, 2**31, 2**53 + 1, 2**63, 2**64, 10**40, 10**400),
    *(
        "",
        " ",
        "NaN",
        "Infinity",
        "-1",
        "1E+1000000",
        "1e-400",
        "0x10",
        "\x00",
        "\ud800",
        "\U0010ffff",
        "é" * 300,
    ),
    *("2026-11-23T10:00:00", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "now"),
    *([], {}, [[]], [{}], {"": ""}, {"a": {"b": [1]}}, ["x"] * 200, {str(n): n for n in range(60)}),
]
TOKENS = [
    b"NaN", b"-Infinity", b"1e999", b"-0", b"00", b"\\u0000", b"\\ud800", b"\\udc00\\ud800", b"\\", b'"', b"[" * 70,
    b"{" * 70, b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"null", b",", b":", b"}", b"]", b"\n",
    b"1" * 5000, b"\x80" * 11, b"\x0a\xff\xff\xff\xff\x0f",
]  # fmt: skip

FULL = event(
    flow="triage", trace_id="run-1", user="u", provider="openai", operation="chat", cost="0.01", currency="EUR",
    prompt={"name": "p", "version": "1"}, duration_ms=840.5, status="error", error_type="RateLimitError",
    outcome={"success": True, "value": "1.5"}, tags={"a": "b", "c": 1}, input=[{"role": "user"}], output="x",
    usage={"input_tokens": 9, "cache_read_tokens": 4, "output_tokens": 3, "other": {"images": 1}},
    scores=[{"name": "thumbs", "value": True, "source": "user", "timestamp": "2026-11-23T10:00:00Z"}],
)  # fmt: skip
ATTRIBUTES = {
    "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai",
    "gen_ai.usage.input_tokens": "12", "flowledger.flow": "triage", "user.id": "u", "gen_ai.usage.cost": "0.1",
    "gen_ai.input.messages": '[{"role": "user", "parts": [{"content": "hi"}]}]',
    "langfuse.observation.usage_details": '{"input": 4, "output": 5}', "metadata": '{"flow": "x"}',
}  # fmt: skip
SPAN = {"attributes": [{"key": key, "value": {"stringValue": value}} for key, value in ATTRIBUTES.items()]}


def logs_json() -> bytes:
    record = {
        "traceId": "01" * 16, "spanId": "02" * 8, "timeUnixNano": str(time.time_ns()),
        "eventName": "gen_ai.client.inference.operation.details", **SPAN,
    }  # fmt: skip
    return msgspec.json.encode({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})


JSON, LINES, PROTOBUF = "application/json", "application/x-ndjson", "application/x-protobuf"
SEEDS: list[tuple[str, str, bytes]] = [
    ("/v1/events", JSON, json.dumps({"events": [FULL, event()]}).encode()),
    ("/v1/events", JSON, json.dumps([event(), FULL]).encode()),
    ("/v1/events", JSON, json.dumps(FULL).encode()),
    ("/v1/events", LINES, f"{json.dumps(FULL)}\n{json.dumps(event())}\n".encode()),
    ("/v1/traces", PROTOBUF, protobuf({"attributes": ATTRIBUTES}, {})),
    ("/v1/traces", JSON, as_json(SPAN, {})),
    ("/v1/logs", JSON, logs_json()),
]


class Mutator:
    """Bodies made strange, always the same ones for one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def body(self, raw: bytes, *, is_json: bool) -> bytes:
        ways: list[Callable[[bytes], bytes]] = [self.flip, self.cut, self.repeat, self.insert, self.swap]
        if is_json and self.random.random() < 0.6:
            raw = self.restructure(raw)
            if self.random.random() < 0.7:
                return raw
        for _ in range(self.random.choice((1, 1, 1, 2, 5))):
            raw = self.random.choice(ways)(raw)
        return raw

    def place(self, raw: bytes) -> int:
        return self.random.randrange(len(raw) + 1)

    def flip(self, raw: bytes) -> bytes:
        if not raw:
            return raw
        place = self.random.randrange(len(raw))
        return raw[:place] + bytes([raw[place] ^ 1 << self.random.randrange(8)]) + raw[place + 1 :]

    def cut(self, raw: bytes) -> bytes:
        start, end = sorted((self.place(raw), self.place(raw)))
        return raw[:start] if self.random.random() < 0.3 else raw[:start] + raw[min(end, start + 40) :]

    def repeat(self, raw: bytes) -> bytes:
        start = self.place(raw)
        return raw[:start] + raw[start : start + 60] * self.random.choice((2, 3, 50)) + raw[start:]

    def insert(self, raw: bytes) -> bytes:
        place = self.place(raw)
        return raw[:place] + self.random.choice(TOKENS) + raw[place:]

    def swap(self, raw: bytes) -> bytes:
        place = self.place(raw)
        return raw[:place] + self.random.randbytes(self.random.randrange(1, 9)) + raw[place + 4 :]

    def restructure(self, raw: bytes) -> bytes:
        parts = raw.split(b"\n") if raw.count(b"\n") else [raw]
        return b"\n".join(json.dumps(self.changed(json.loads(part))).encode() for part in parts if part)

    def changed(self, value: Any) -> Any:
        """The value with something odd in one place of it."""
        if isinstance(value, dict) and value and self.random.random() < 0.9:
            key = self.random.choice(list(value))
            if self.random.random() < 0.1:
                return {**value, key + self.random.choice(("s", "\x00", "x" * 300)): value[key]}
            if self.random.random() < 0.1:
                return {name: kept for name, kept in value.items() if name != key}
            return {**value, key: self.changed(value[key])}
        if isinstance(value, list) and value and self.random.random() < 0.9:
            place = self.random.randrange(len(value))
            return [*value[:place], self.changed(value[place]), *value[place + 1 :]]
        return self.random.choice(ODD)


def test_no_mutated_body_is_answered_with_5xx_and_all_that_is_taken_can_be_stored(send, project):
    project.keep_content = True
    project.save()
    mutator = Mutator(SEED)
    statuses: dict[int, int] = {}
    for number in range(BODIES):
        path, type, seed = mutator.random.choice(SEEDS)
        body = mutator.body(seed, is_json=type != PROTOBUF)
        headers = {}
        if mutator.random.random() < 0.15:
            headers["Content_Encoding"] = "gzip"
            body = gzip.compress(body) if mutator.random.random() < 0.7 else mutator.flip(gzip.compress(body))
        answer = send(body, path=path, type=type, **headers)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        assert answer.status_code < 500, (number, path, type, headers, body)
        if number % 500 == 499:
            check_stored()
    check_stored()
    # The mutations are neither all harmless nor all fatal.
    taken = statuses.get(200, 0) + statuses.get(202, 0)
    assert taken > BODIES / 20
    assert statuses[400] > BODIES / 20


def check_stored() -> None:
    """Everything in the inbox can be read, and each value is one that Postgres can keep and add up."""
    for row in InboxRow.objects.all():
        for record in inbox.read_records(row.kind, row.body):
            check(msgspec.to_builtins(record, builtin_types=(Decimal,)))
    InboxRow.objects.all().delete()


def check(value: Any) -> None:
    if isinstance(value, str):
        value.encode()  # a lone surrogate cannot be encoded
        assert "\x00" not in value
        assert len(value) <= 1_000_000
    elif isinstance(value, Decimal):
        assert value.is_finite()
        assert abs(value) < Decimal(10) ** 12
    elif isinstance(value, dict | list | tuple):
        for child in value.values() if isinstance(value, dict) else value:
            check(child)
        for key in value if isinstance(value, dict) else ():
            check(key)
    elif isinstance(value, float):
        assert value == value  # noqa: PLR0124 - not NaN

"""Every kind of bad input gets a clear 4xx that names field and remedy; nothing of it is stored, good ones are."""

import gzip
import json
import zlib
from collections.abc import Callable

import pytest
import zstandard
from django.utils import timezone

from accounts.keys import create_key, revoke_key
from accounts.models import ApiKey
from ingest import floor
from ingest.models import LedgerFloor
from ingest.records import MAX_TOKENS
from tests.ingest.conftest import Sender, event, moment, stored

pytestmark = pytest.mark.django_db

DEEP = json.loads("[" * 200 + "]" * 200)
REFUSED = {
    "no id": ({"id": None}, "id"),
    "empty id": ({"id": ""}, "id"),
    "long id": ({"id": "x" * 201}, "id"),
    "number as id": ({"id": 7}, "id"),
    "no model": ({"model": None}, "model"),
    "wrong type": ({"flow": ["a"]}, "flow"),
    "10 MB of text": ({"flow": "x" * 10_000_000}, "flow"),
    "text as tokens": ({"usage": {"input_tokens": "many"}}, "usage.input_tokens"),
    "negative tokens": ({"usage": {"output_tokens": -1}}, "usage.output_tokens"),
    "absurd tokens": ({"usage": {"input_tokens": MAX_TOKENS + 1}}, "usage.input_tokens"),
    "tokens beyond 64 bits": ({"usage": {"input_tokens": 10**400}}, "usage.input_tokens"),
    "half a token": ({"usage": {"input_tokens": 1.5}}, "usage.input_tokens"),
    "true as tokens": ({"usage": {"input_tokens": True}}, "usage.input_tokens"),
    "usage as list": ({"usage": [1, 2]}, "usage"),
    "negative units": ({"usage": {"other": {"images": -1}}}, "usage.other.images"),
    "NaN cost": ({"cost": float("nan")}, "cost"),
    "NaN cost as text": ({"cost": "NaN"}, "cost"),
    "infinite cost": ({"cost": float("inf")}, "cost"),
    "huge cost": ({"cost": "1E+1000000"}, "cost"),
    "finest cost": ({"cost": "1E-31"}, "cost"),
    "zero of another kind": ({"cost": "-0.01"}, "cost"),
    "cost as object": ({"cost": {"usd": 1}}, "cost"),
    "currency": ({"currency": "dollars"}, "currency"),
    "no time": ({"timestamp": None}, "timestamp"),
    "naive time": ({"timestamp": "2026-11-23T10:00:00"}, "timestamp"),
    "a day": ({"timestamp": "2026-11-23"}, "timestamp"),
    "no such day": ({"timestamp": "2026-02-30T10:00:00Z"}, "timestamp"),
    "unix time": ({"timestamp": 1_795_428_000}, "timestamp"),
    "before 1970": ({"timestamp": "1969-12-31T23:59:59Z"}, "timestamp"),
    "year 1": ({"timestamp": "0001-01-01T00:00:00+23:00"}, "timestamp"),
    "year 9999": ({"timestamp": "9999-12-31T23:59:59-23:00"}, "timestamp"),
    "year 10000": ({"timestamp": "10000-01-01T00:00:00Z"}, "timestamp"),
    "2 hours ahead": ({"timestamp": moment(hours=-2)}, "timestamp"),
    "negative duration": ({"duration_ms": -1}, "duration_ms"),
    "endless duration": ({"duration_ms": 1e300}, "duration_ms"),
    "unreadable number": ({"duration_ms": float("inf")}, "duration_ms"),
    "status": ({"status": "fine"}, "status"),
    "attempt": ({"attempt": 0}, "attempt"),
    "outcome": ({"outcome": "good"}, "outcome"),
    "outcome value": ({"outcome": {"value": "NaN"}}, "outcome.value"),
    "score without name": ({"scores": [{"value": 1}]}, "scores.name"),
    "score source": ({"scores": [{"name": "a", "value": 1, "source": "me"}]}, "scores.source"),
    "score value": ({"scores": [{"name": "a", "value": [1]}]}, "scores.value"),
    "too many scores": ({"scores": [{"name": "a", "value": 1}] * 101}, "scores"),
    "tags as list": ({"tags": ["a"]}, "tags"),
    "200 levels of input": ({"input": DEEP}, "input"),
    "200 levels of tags": ({"tags": {"a": DEEP}}, "tags"),
    "200 levels of something unknown": ({"what": DEEP}, "what"),
}


@pytest.mark.parametrize(("fields", "named"), REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("form", ["document", "lines"])
def test_a_bad_event_is_refused_by_name_and_the_good_one_stored(send, fields, named, form):
    sent = [event(id="good"), event(**fields)]
    if form == "lines":
        answer = send("\n".join(map(json.dumps, sent)).encode(), type="application/x-ndjson")
    else:
        answer = send({"events": sent})
    assert answer.status_code == 202
    assert [(each["index"], each["field"]) for each in answer.json()["rejected"]] == [(1, named)]
    assert answer.json()["rejected"][0]["message"].endswith(".")
    assert answer.json()["rejected"][0]["hint"].endswith((".", "…}"))
    assert [record.id for record in stored()] == ["good"]


@pytest.mark.parametrize(("fields", "named"), REFUSED.values(), ids=REFUSED.keys())
def test_nothing_but_a_bad_event_is_400_and_stores_nothing(send, fields, named):
    answer = send(event(**fields))
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == named
    assert answer.json()["error"]["code"] == "nothing_acceptable"
    assert answer.json()["accepted"] == 0
    assert stored() == []


MALFORMED = {
    "empty": b"",
    "blank": b" \n ",
    "cut off": b'{"events": [{"id": "a"',
    "cut in a text": b'{"id": "a',
    "a word": b"hello",
    "a number": b"17",
    "a text": b'"events"',
    "null": b"null",
    "two documents": b'{"id": "a"}\n{"id": "b"}',
    "single quotes": b"{'id': 'a'}",
    "trailing comma": b'[{"id": "a"},]',
    "100,000 levels": b"[" * 100_000,
    "binary": bytes(range(256)),
    "NUL alone": b"\x00",
    "UTF-16": '{"id": "a"}'.encode("utf-16"),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_json_is_400_and_says_where(send, body):
    answer = send(body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "malformed"
    assert error["hint"]
    assert stored() == []


def test_the_place_of_a_syntax_error_is_told(send):
    answer = send(b'[\n  {"id": "a"},\n  {"id": oops}\n]')
    assert "line 3, column 10" in answer.json()["error"]["message"]


def test_bad_lines_do_not_cost_the_good_ones(send):
    good = [json.dumps(event(id=name)) for name in "ab"]
    answer = send(f"{good[0]}\n{{oops\n[]\n{good[1]}".encode(), type="application/x-ndjson")
    assert answer.status_code == 202
    assert [each["index"] for each in answer.json()["rejected"]] == [1, 2]
    assert "Line 2" in answer.json()["rejected"][0]["message"]
    assert [record.id for record in stored()] == ["a", "b"]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps([event(id="a", flow="x\x00y"), event(id="b")]).encode(),
        json.dumps([event(id="a", flow="x\x00y"), event(id="b")]).replace("\\u0000", "\x00").encode(),
        json.dumps([event(id="a", flow="x\ud800y"), event(id="b")]).encode(),
        json.dumps([event(id="a", flow="xéy"), event(id="b")], ensure_ascii=False).encode("latin-1"),
    ],
    ids=["escaped NUL", "raw NUL", "lone surrogate", "not UTF-8"],
)
def test_what_cannot_be_stored_in_a_text_is_replaced(send, body):
    assert send(body).status_code == 202
    assert [(record.id, record.flow) for record in stored()] == [("a", "x\ufffdy"), ("b", None)]


def test_a_replacement_is_told(send):
    warnings = send(event(flow="x\x00y", tags={"k": "\ud800"})).json()["warnings"]
    assert {warning["field"] for warning in warnings} == {"flow", "tags"}


def test_unknown_fields_become_tags_and_are_told_with_what_was_meant(send):
    answer = send(event(foo=3, modle="x", usage={"input_token": 7, "output_tokens": 1}))
    assert answer.status_code == 202
    assert stored()[0].tags == {"foo": "3", "modle": "x", "usage.input_token": "7"}
    told = {warning["field"]: warning["message"] for warning in answer.json()["warnings"]}
    assert set(told) == {"foo", "modle", "usage.input_token"}
    assert told["modle"].endswith("Did you mean model?")
    assert told["usage.input_token"].endswith("Did you mean usage.input_tokens?")


def test_warnings_are_bounded(send):
    answer = send([event(id=str(n), foo=1) for n in range(300)])
    assert answer.json()["accepted"] == 300
    assert len(answer.json()["warnings"]) == 101
    assert "200 more" in answer.json()["warnings"][-1]["message"]


def test_more_than_50_000_items_are_413(send):
    answer = send(b"[" + b",".join([b"1"] * 50_001) + b"]")
    assert answer.status_code == 413
    assert "50000" in answer.json()["error"]["message"]


@pytest.mark.parametrize("type", ["text/csv", "application/x-www-form-urlencoded", "application/xml"])
def test_another_content_type_is_415(send, type):
    answer = send(event(), type=type)
    assert answer.status_code == 415
    assert answer.json()["error"]["field"] == "Content-Type"
    assert "application/json" in answer.json()["error"]["hint"]


def test_another_encoding_is_415(send):
    answer = send(event(), Content_Encoding="br")
    assert answer.status_code == 415
    assert "zstd" in answer.json()["error"]["hint"]


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize(("encoding", "pack"), PACK.items(), ids=PACK.keys())
def test_compressed_bodies_are_read_and_damaged_ones_refused(send, encoding, pack):
    packed = pack(json.dumps(event(id="a")).encode())
    assert send(packed, Content_Encoding=encoding).status_code == 202
    for damaged in (packed[:-1], b"\xff" + packed[1:], b"plain"):
        answer = send(damaged, Content_Encoding=encoding)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "unreadable_body"
    assert [record.id for record in stored()] == ["a"]


@pytest.mark.parametrize("encoding", PACK)
def test_a_bomb_is_413(send, settings, encoding):
    settings.INGEST_MAX_BODY = 2**20
    answer = send(PACK[encoding](b" " * 2**24), Content_Encoding=encoding)
    assert answer.status_code == 413
    assert "inflated" in answer.json()["error"]["message"]


def test_no_key_a_wrong_key_a_revoked_key_and_one_without_scope(project, secret, db):
    assert Sender("")(event()).status_code == 401
    assert Sender("flk_live_" + "x" * 43)(event()).status_code == 401
    revoke_key(key=ApiKey.objects.get(project=project), now=timezone.now())
    answer = Sender(secret)(event())
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "key_invalid")
    reader = create_key(project=project, scopes=["read"])[1]
    assert Sender(reader)(event()).status_code == 403
    assert stored() == []


def test_what_lies_before_the_ledgers_floor_is_too_old(send):
    LedgerFloor.objects.update(floor="2026-01-01T00:00:00Z")
    floor.forget()
    answer = send(
        [event(id="a", timestamp="2025-12-31T23:59:59Z"), event(id="b", timestamp="2026-01-01T00:00:00Z")]
    )
    assert [each["field"] for each in answer.json()["rejected"]] == ["timestamp"]
    assert "too_old" in answer.json()["rejected"][0]["message"]
    assert [record.id for record in stored()] == ["b"]


def test_a_get_is_405(send, secret):
    assert send.client.get("/v1/events", headers={"Authorization": f"Bearer {secret}"}).status_code == 405

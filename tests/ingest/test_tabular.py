"""CSV and JSON Lines: what a cell means, how rows get their ids, and that the rules are the API's own."""

import gzip
import json
import random
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ingest.records import CallRecord, Rejection, Tokens
from ingest.wire.columns import BadMappingError, amount, whole
from ingest.wire.event import Rules
from ingest.wire.files import UnreadableError, opened
from ingest.wire.native import decode_events
from ingest.wire.ordinals import Ordinals, digest_of
from ingest.wire.rows import Converter, Wanted
from ingest.wire.tabular import Table

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RULES = Rules(now_us=int(NOW.timestamp()) * 1_000_000)
AT = "2026-11-20T10:00:00Z"
AT_US = 1_795_168_800_000_000


def table(tmp_path, content: str | bytes, **wanted) -> tuple[list[CallRecord], list[Rejection]]:
    """The records and rejections of a CSV file."""
    path = tmp_path / "calls.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    records, rejections = [], []
    with opened(path) as file:
        for chunk in Table(file, Wanted(**wanted)).chunks(Converter(RULES)):
            records += chunk.records
            rejections += chunk.rejections
    return records, rejections


def only(tmp_path, content: str | bytes, **wanted) -> CallRecord:
    records, rejections = table(tmp_path, content, **wanted)
    assert rejections == []
    [record] = records
    return record


def test_a_row_is_the_event_that_it_would_be_as_json(tmp_path):
    header = (
        "id,timestamp,model,flow,usage.input_tokens,usage.cache_read_tokens,output_tokens,cost,duration_s,"
        "status,error_type,prompt.name,prompt.version,tags.tier,usage.other.web_searches,outcome.success"
    )
    row = f"c-1,{AT},gpt-4o-mini,support,1200,1000,85.0,0.047448000000000004,1.25,Error,429,triage,12,gold,2,yes"
    event = {
        "id": "c-1", "timestamp": AT, "model": "gpt-4o-mini", "flow": "support",
        "usage": {"input_tokens": 1200, "cache_read_tokens": 1000, "output_tokens": 85,
                  "other": {"web_searches": 2}},
        "cost": "0.047448000000000004", "duration_ms": 1250, "status": "error", "error_type": "429",
        "prompt": {"name": "triage", "version": "12"}, "tags": {"tier": "gold"}, "outcome": {"success": True},
    }  # fmt: skip
    expected = decode_events(json.dumps(event).encode(), ndjson=False, rules=RULES).records
    record = only(tmp_path, f"{header}\n{row}\n")
    assert [record] == expected
    assert record.reported_cost == Decimal("0.047448000000000004")
    assert record.tokens == Tokens(input=200, cache_read=1000, output=85)


def test_an_empty_cell_is_null_and_not_zero(tmp_path):
    record = only(tmp_path, f"timestamp,model,usage.input_tokens,cost,user\n{AT},m, ,,\n")
    assert (record.tokens.input, record.reported_cost, record.user) == (None, None, None)


@pytest.mark.parametrize(
    "content",
    [
        f"\ufefftimestamp,model\n{AT},m\n".encode(),
        f"timestamp;model\r\n{AT};m\r\n".encode(),
        f"timestamp\tmodel\n{AT}\tm".encode(),
        f'"timestamp","model"\n"{AT}","m"\n\n'.encode(),
        f"timestamp,model\n{AT},m\n".encode("utf-16"),
        gzip.compress(f"timestamp,model\n{AT},m\n".encode()),
    ],
    ids=["bom", "semicolon", "tab", "quoted", "utf16", "gzip"],
)
def test_separators_marks_and_encodings(tmp_path, content):
    record = only(tmp_path, content)
    assert (record.model, record.started_us) == ("m", AT_US)


def test_quoted_line_breaks_belong_to_the_cell_and_lines_are_counted_on(tmp_path):
    content = f'timestamp,model,error_type\n{AT},m,"one\ntwo, three"\n\nnever,m,\n'
    records, [rejection] = table(tmp_path, content)
    assert records[0].error_type == "one\ntwo, three"
    assert (rejection.index, rejection.field) == (5, "timestamp")


@pytest.mark.parametrize(
    "text",
    ["2026-11-20 10:00:00+00:00", "2026-11-20T11:00:00+01:00", "1795168800", "1795168800.000", "1795168800000"],
)  # fmt: skip
def test_times_that_say_what_they_mean_are_taken(tmp_path, text):
    assert only(tmp_path, f"timestamp,model\n{text},m\n").started_us == AT_US


def test_a_time_without_offset_needs_its_zone(tmp_path):
    content = "timestamp,model\n2026-11-20 11:00:00.0000000,m\n"
    _, [rejection] = table(tmp_path, content)
    assert rejection.message == "The time has no offset."
    assert rejection.hint is not None
    assert "--zone" in rejection.hint
    assert only(tmp_path, content, zone=ZoneInfo("Europe/Berlin")).started_us == AT_US


@pytest.mark.parametrize(
    ("cell", "field", "message"),
    [
        ("-5,,", "usage.input_tokens", "The number is negative."),
        ("many,,", "usage.input_tokens", "Expected a whole number"),
        ("1_000,,", "usage.input_tokens", "Expected a whole number"),
        ("99999999999,,", "usage.input_tokens", "must be at most"),
        (",NaN,", "cost", "not finite"),
        (",1E+1000000,", "cost", "too large"),
        (',"0,25",', "cost", "not a number"),
        (",-1,", "cost", "negative"),
        (",,nan", "duration_ms", "Expected a number"),
        (",,-2", "duration_ms", "negative"),
    ],
)
def test_values_that_no_call_may_have_are_refused_as_by_the_api(tmp_path, cell, field, message):
    records, [rejection] = table(tmp_path, f"timestamp,model,input_tokens,cost,duration_s\n{AT},m,{cell}\n")
    assert records == []
    assert (rejection.index, rejection.field) == (2, field)
    assert message.casefold() in rejection.message.casefold()


def test_rows_of_another_width_and_unclosed_quotes_cost_nobody_else(tmp_path):
    content = f'timestamp,model,user\n{AT},m\n{AT},m,u,more\n{AT},m,u,,\n{AT},m,"u\0"\n'
    records, rejections = table(tmp_path, content)
    assert [record.user for record in records] == ["u", "u\ufffd"]
    assert [rejection.index for rejection in rejections] == [2, 3]


def test_long_texts_are_cut_where_the_api_cuts_them_and_refused_where_it_refuses(tmp_path):
    long = "x" * 300
    assert len(only(tmp_path, f"timestamp,model,error_type\n{AT},m,{long}\n").error_type or "") == 200
    _, [rejection] = table(tmp_path, f"timestamp,model\n{AT},{long}\n")
    assert rejection.field == "model"


def test_ids_come_from_content_whatever_the_order_or_the_spelling(tmp_path):
    rows = [f"{AT},m,{n // 2},0.{n // 2}0" for n in range(40)]
    first, _ = table(tmp_path, "\n".join(["timestamp,model,input_tokens,cost", *rows]))
    assert len({record.id for record in first}) == 40
    random.Random(1).shuffle(rows)
    again, _ = table(tmp_path, "\n".join(["timestamp,model,input_tokens,cost", *rows]))
    assert {record.id for record in again} == {record.id for record in first}
    other = [f"0.{n // 2},x,{n // 2}.0,m,2026-11-20T11:00:00+01:00" for n in range(40)]
    turned, _ = table(tmp_path, "\n".join(["cost,unused,input_tokens,model,timestamp", *other]))
    assert {record.id for record in turned} == {record.id for record in first}


def test_fixed_values_are_part_of_the_content(tmp_path):
    content = f"timestamp,input_tokens\n{AT},5\n"
    one, other = (only(tmp_path, content, sets={"model": name}).id for name in ("a", "b"))
    assert one != other


def test_a_mapped_field_wins_over_a_column_of_its_name(tmp_path):
    record = only(tmp_path, f"timestamp,model,flow,kind\n{AT},m,a,b\n", maps={"flow": "kind"})
    assert record.flow == "b"
    assert only(tmp_path, f"timestamp,model,flow\n{AT},m,a\n", sets={"flow": ""}).flow is None


@pytest.mark.parametrize(
    ("header", "wanted", "message"),
    [
        ("ts,model", {}, "Nothing says the timestamp"),
        ("timestamp,usr", {}, "Nothing says the model"),
        ("timestamp,model,model", {}, "given twice"),
        ("timestamp,model,a,a", {"maps": {"user": "a"}}, "several columns"),
        ("timestamp,model,usr", {"maps": {"user": "ussr"}}, "Did you mean usr"),
        ("timestamp,model", {"maps": {"scores": "model"}}, "no field 'scores'"),
        ("timestamp,model", {"sets": {"attempt": "none"}}, "--set cannot be used"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(tmp_path, header, wanted, message):
    with pytest.raises(BadMappingError, match=message):
        table(tmp_path, f"{header}\n", **wanted)


def test_a_damaged_file_says_so(tmp_path):
    rows = "".join(f"{AT},m-{n}\n" for n in range(1000))
    packed = gzip.compress(f"timestamp,model\n{rows}".encode())
    with pytest.raises(UnreadableError, match="ends too early"):
        table(tmp_path, packed[:-20])


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.10", "0.1"), ("5e-1", "0.5"), (".5", "0.5"), ("0.0", "0"), ("100", "100"), ("1_0", "1_0"), ("x", "x")],
)  # fmt: skip
def test_an_amount_has_one_spelling(text, value):
    assert amount(text) == value


def test_a_whole_number_may_end_in_zeros_after_the_point():
    assert [whole(text) for text in ("638", "638.0", "638.5", "-1", "٣")] == [638, 638, "638.5", -1, "٣"]


def test_ordinals_count_repeats_over_many_parts():
    chance = random.Random(2)
    numbers = [chance.randrange(3000) for _ in range(5_000)]
    ordinals, seen = Ordinals(), []
    for start in range(0, len(numbers), 700):
        part = numbers[start : start + 700]
        seen += list(zip(part, ordinals.of([digest_of(b"%d" % n) for n in part]), strict=True))
    assert len(set(seen)) == len(numbers)
    assert max(ordinal for _, ordinal in seen) == max(map(numbers.count, set(numbers))) - 1

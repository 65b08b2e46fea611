"""The big tables keep to what a distributed Postgres accepts, and their SQL functions do what they say."""

import struct

import pytest
from django.db import connection

PAIR = struct.Struct(">hi")


@pytest.mark.django_db
def test_folding_a_histogram_adds_equal_buckets_and_drops_empty_ones():
    packed = b"".join(PAIR.pack(b, n) for b, n in [(5, 1), (-32768, 2), (5, 3), (7, 1), (7, -1), (9, 70000)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT fold_histogram(%s)", [packed])
        folded = bytes(cursor.fetchone()[0])
    assert sorted(PAIR.iter_unpack(folded)) == [(-32768, 2), (5, 4), (9, 70000)]


@pytest.mark.django_db
def test_every_key_of_a_big_table_begins_with_the_project_or_holds_it():
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
               WHERE i.indisprimary AND c.relname = ANY(%s) AND NOT EXISTS (
                 SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'project_id'
                 AND a.attnum = i.indkey[0])""",
            [
                [
                    "call",
                    "run",
                    "span",
                    "content",
                    "series",
                    "usage",
                    "usage_day",
                    "run_bucket",
                    "customer_day",
                ]
            ],
        )
        assert cursor.fetchall() == []

"""Reading for pages and the API: one snapshot, binary results, and never longer than ten seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from psycopg import Cursor, errors
from psycopg.pq import Format

from accounts.errors import ApiError

TIMEOUT_SECONDS = 10
RETRY_SECONDS = 5
_LIMITS = f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'; SET LOCAL jit = off"
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; "


@contextmanager
def reading() -> "Iterator[Cursor[Any]]":
    """A psycopg cursor over one snapshot; inside another transaction, that one's.

    Raises ApiError 503 when a statement takes longer than ten seconds or the database does not answer."""
    nested = connection.in_atomic_block
    try:
        with transaction.atomic(), connection.wrap_database_errors, _cursor() as cursor:
            cursor.execute(_LIMITS if nested else _SNAPSHOT + _LIMITS)
            cursor.format = Format.BINARY
            yield cursor
    except (OperationalError, InterfaceError) as problem:
        connection.close_if_unusable_or_obsolete()
        raise _busy(problem) from problem


def _cursor() -> "Cursor[Any]":
    """Django's own cursors put parameters into the text and get results as text, twice the size for histograms."""
    return Cursor(connection.connection)


def _busy(problem: DatabaseError | InterfaceError) -> ApiError:
    if isinstance(problem.__cause__, errors.QueryCanceled):
        return ApiError(503, "too_slow", f"The answer took longer than {TIMEOUT_SECONDS} seconds.",
                        hint="Ask for a shorter period, a coarser grain or fewer groups.",
                        retry_after=RETRY_SECONDS)  # fmt: skip
    return ApiError(503, "busy", "The database does not answer at the moment.",
                    hint="Send the same request again later.", retry_after=RETRY_SECONDS)  # fmt: skip

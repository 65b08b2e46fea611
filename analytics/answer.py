"""Answering: a Query becomes SQL from the registries and comes back as a Result."""

from datetime import datetime

from analytics.query import Query
from analytics.result import Result


def answer(query: Query, *, now: datetime) -> Result:
    """Answer a question. Raises ApiError 422 (no table knows it), 503 (it took longer than 10 s)."""
    raise NotImplementedError

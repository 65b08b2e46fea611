"""The fixed SQL statements, one file each in `analytics/sql/<verb>_<object>.sql`, read once."""

from functools import cache
from pathlib import Path

SQL = Path(__file__).parent / "sql"


@cache
def statement(name: str) -> str:
    """The text of a statement, for instance `insert_calls`."""
    return (SQL / f"{name}.sql").read_text()

"""Work of one project, apart from that of the others: what it raises is told, and the next one's turn comes."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import connection

log = structlog.get_logger()


@contextmanager
def apart(work: str, of: object) -> Iterator[None]:
    """Log whatever the work raises, with its trace, instead of passing it on. `of`: whose work it is."""
    try:
        yield
    except Exception:
        log.exception("work failed", work=work, of=str(of))
        if not connection.in_atomic_block:  # a caller's transaction is not ours to end
            connection.close_if_unusable_or_obsolete()

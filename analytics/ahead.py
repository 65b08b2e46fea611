"""The next batch is made ready by a second thread while Postgres works on this one.

Reading and pricing take a third of a load's time, and the database does not wait for them. What was made ready is
used only if its rows still wait and the states it was interned with are still those of the loader.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from django.db import connection
from psycopg import Cursor

from analytics import retention
from analytics.batch import Batch, prepare, read
from analytics.series import ProjectState

States = Callable[[int], ProjectState | None]


class Ahead:
    """Makes the batch after the present one ready. `state_of`: what the loader remembers of a project, or None."""

    def __init__(self, lane: int, state_of: States) -> None:
        self._lane, self._state_of = lane, state_of
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._future: Future[Batch | None] | None = None

    def start(self, *, without: Sequence[int]) -> None:
        """Begin with the oldest rows but these, which the present batch has."""
        self._future = self._thread.submit(self._make, without)

    def take(self) -> Batch | None:
        """What was made ready; None when nothing waited, or it cannot be used any more."""
        future, self._future = self._future, None
        batch = future.result() if future is not None else None
        if batch is None or any(self._state_of(pk) is not state for pk, state in batch.states.items()):
            return None
        return batch

    def _make(self, without: Sequence[int]) -> Batch | None:
        connection.ensure_connection()
        with Cursor(connection.connection) as cursor:
            waiting = read(cursor, self._lane, without=without)
        states = {row.project_id: self._state_of(row.project_id) for row in waiting}
        known = {pk: state for pk, state in states.items() if state is not None}
        if not waiting or len(known) < len(states):
            return None  # a project seen for the first time is looked up under the lock
        return prepare(waiting, known, floor=retention.floor())

    def __enter__(self) -> "Ahead":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.submit(_close)
        self._thread.shutdown()


def _close() -> None:
    """Closes the connection of the thread that runs it: `connection` names another one in each thread."""
    connection.close()

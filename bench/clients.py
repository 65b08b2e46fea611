"""Clients: processes that post bodies over kept connections and time the answers."""

import http.client
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.pool import AsyncResult, Pool
from typing import Any

from bench.product import Key
from bench.traffic import Body
from config.programs import HOST

_context = multiprocessing.get_context("fork")
_held: list[list[Body]] = []  # inherited by fork: bodies are not sent through a pipe


@dataclass
class Sent:
    """What one client did: items accepted, seconds of each answer, refusals, when it began and ended."""

    items: int = 0
    took: list[float] = field(default_factory=list)
    refused: int = 0
    began: float = 0.0
    ended: float = 0.0


@dataclass(frozen=True)
class Pace:
    """How to send: until `seconds` have passed, one body every `every` seconds (0 = as fast as answers come)."""

    seconds: float
    every: float = 0.0


def connect(port: int) -> http.client.HTTPConnection:
    """A connection to the product."""
    return http.client.HTTPConnection(HOST, port, timeout=60)


def post(connection: http.client.HTTPConnection, key: Key, body: Body) -> int:
    """Posts a body; the status."""
    headers = {"Authorization": f"Bearer {key.secret}", "Content-Type": body.type}
    connection.request("POST", body.path, body.data, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def run(port: int, keys: Sequence[Key], bodies: list[list[Body]], pace: Pace) -> list[Sent]:
    """One process a list of bodies; ends when all have sent theirs or the time is over."""
    with start(port, keys, bodies, pace) as running:
        return running.result()


class Running:
    """Clients at work."""

    def __init__(self, pool: Pool, answers: "AsyncResult[list[Sent]]") -> None:
        self._pool, self._answers = pool, answers

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *args: Any) -> None:
        self._pool.terminate()

    def done(self) -> bool:
        """Whether all have ended."""
        return self._answers.ready()

    def result(self) -> list[Sent]:
        """What each did, once all have ended."""
        return self._answers.get(600)


def start(port: int, keys: Sequence[Key], bodies: list[list[Body]], pace: Pace) -> Running:
    """Clients that send beside the caller."""
    _held[:] = bodies
    pool = _context.Pool(len(bodies))
    tasks = [(port, keys[number % len(keys)], number, pace) for number in range(len(bodies))]
    return Running(pool, pool.starmap_async(_client, tasks, chunksize=1))


def _client(port: int, key: Key, number: int, pace: Pace) -> Sent:
    sent = Sent(began=time.time())
    connection = connect(port)
    begin = time.monotonic()
    due = begin + pace.every * number / max(1, len(_held))
    for body in _held[number]:
        now = time.monotonic()
        if now - begin > pace.seconds:
            break
        if pace.every:
            time.sleep(max(0.0, due - now))
            due += pace.every
        start = time.monotonic()
        while (status := post(connection, key, body)) == 503:
            sent.refused += 1
            time.sleep(0.5)
        if status not in (200, 202):
            raise RuntimeError(f"{body.path} answered {status}")
        sent.took.append(time.monotonic() - start)
        sent.items += body.items
    sent.ended = time.time()
    return sent

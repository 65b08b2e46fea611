"""A bounded queue and one background thread: batches, gzip, retries; never in the application's way."""

from __future__ import annotations

import atexit
import gzip
import json
import logging
import os
import random
import threading
import time
import urllib.error
import urllib.request
import weakref
from collections import deque
from typing import Any

from flowledger.responses import fingerprint

log = logging.getLogger("flowledger")
RETRIED = (408, 425, 429)
SINGLE = ("/v1/outcomes", "/v1/changes")  # one in a request
SOURCE = "_fingerprint_source"


def _backoff(tries: int) -> float:
    """Seconds before the next try: doubling up to half a minute, spread."""
    return random.uniform(0.5, 1) * min(30.0, 0.2 * 2 ** min(tries, 10))  # noqa: S311


class Sender:
    """Takes items without waiting; sends them until they are accepted, refused for good, or the process ends."""

    def __init__(
        self, url: str, key: str, *, size: int = 10_000, batch: int = 200, timeout: float = 10.0
    ) -> None:
        self.url, self.key, self.size, self.batch, self.timeout = url.rstrip("/"), key, size, batch, timeout
        self.dropped = self.refused = self.sent = 0
        self._project_key: bytes | None = None
        self._no_key = False
        self._said = 0.0
        self._reset()
        _senders.add(self)

    def _reset(self) -> None:
        self._items: deque[tuple[str, dict[str, Any]]] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, path: str, item: dict[str, Any]) -> bool:
        """Whether the item was accepted; False where the queue is full. Never waits for the network."""
        with self._lock:
            if len(self._items) >= self.size:
                self.dropped += 1
            else:
                self._items.append((path, item))
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="flowledger", daemon=True)
                    self._thread.start()
                self._wake.set()
                return True
        self._say()
        return False

    def flush(self, seconds: float = 5.0) -> bool:
        """Waits until everything is sent, at most so long. Whether it is."""
        end = time.monotonic() + seconds
        self._wake.set()
        while self._items and time.monotonic() < end:
            time.sleep(0.01)
        return not self._items

    def close(self, seconds: float = 5.0) -> None:
        """Flush; what is left then is counted as dropped, in one line."""
        if not self.flush(seconds):
            self.dropped += len(self._items)
            self._said = 0.0
            self._say()
        self._ending.set()
        self._wake.set()

    def _say(self) -> None:
        now = time.monotonic()
        if not self._said or now - self._said > 60:
            self._said = now
            log.warning("flowledger: %d dropped, %d refused so far", self.dropped, self.refused)

    def _run(self) -> None:
        tries = 0
        while not self._ending.is_set():
            if not self._items:
                self._wake.clear()
                if not self._items:
                    self._wake.wait(1.0)
                continue
            try:
                wait = self._send_some()
            except Exception as error:  # the thread must live; whatever it was is tried again
                log.debug("flowledger: %r", error)
                wait = -1.0
            tries = tries + 1 if wait is not None else 0
            if wait is not None:
                pause = wait if wait > 0 else _backoff(tries)
                self._ending.wait(min(pause, 60.0))

    def _send_some(self) -> float | None:
        """None when the head of the queue is dealt with; else seconds to wait (negative: backoff)."""
        path = self._items[0][0]
        most = 1 if path in SINGLE else self.batch
        with self._lock:
            taken: list[dict[str, Any]] = []
            for at, item in self._items:
                if at != path or len(taken) >= most:
                    break
                taken.append(item)
        self._learn_key(taken)
        status, wait, answer = self._post(path, [self._ready(item) for item in taken])
        if status == 0 or status in RETRIED or status >= 500:
            return wait
        rejected = len(taken) if status >= 400 else len(answer.get("rejected") or ())
        with self._lock:
            for _ in taken:
                self._items.popleft()
        self.sent += len(taken) - rejected
        if rejected:
            self.refused += rejected
            self._say()
        return None

    def _learn_key(self, items: list[dict[str, Any]]) -> None:
        if self._project_key or self._no_key or not any(SOURCE in item for item in items):
            return
        status, _, answer = self._ask("/v1/fingerprint-key", None)
        if status == 200 and answer.get("key"):
            self._project_key = bytes.fromhex(answer["key"])
        elif 400 <= status < 500 and status not in RETRIED:
            self._no_key = True
        else:
            raise ConnectionError("no fingerprint key yet")

    def _ready(self, item: dict[str, Any]) -> dict[str, Any]:
        ready = {name: value for name, value in item.items() if name != SOURCE}
        if self._project_key and SOURCE in item:
            ready["fingerprint"] = fingerprint(item[SOURCE], self._project_key)
        return ready

    def _post(self, path: str, items: list[dict[str, Any]]) -> tuple[int, float, dict[str, Any]]:
        body = items[0] if path in SINGLE else {path.rsplit("/", 1)[1]: items}
        return self._ask(path, gzip.compress(json.dumps(body, default=str).encode(), 1))

    def _ask(self, path: str, body: bytes | None) -> tuple[int, float, dict[str, Any]]:
        headers = {"Authorization": "Bearer " + self.key, "Content-Type": "application/json"}
        if body is not None:
            headers["Content-Encoding"] = "gzip"
        request = urllib.request.Request(self.url + path, data=body, headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:  # noqa: S310
                return answer.status, -1.0, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            after = error.headers.get("Retry-After", "")
            return error.code, float(after) if after.isdigit() else -1.0, {}
        except (OSError, ValueError):
            return 0, -1.0, {}


_senders: weakref.WeakSet[Sender] = weakref.WeakSet()


def _in_child() -> None:
    for sender in list(_senders):
        sender._reset()  # what waits is the parent's to send


def _at_exit() -> None:
    for sender in list(_senders):
        sender.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
atexit.register(_at_exit)

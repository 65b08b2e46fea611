"""Which flow the code at hand serves: a context variable, as context manager and decorator."""

from __future__ import annotations

import contextvars
import functools
import inspect
import logging
import uuid
from typing import Any, Callable  # noqa: UP035 - Python 3.9

log = logging.getLogger("flowledger")
FIELDS = ("feature", "user", "customer", "session", "environment", "release", "prompt", "step", "trace_id")
_current: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("flowledger", default={})  # noqa: B039


def current() -> dict[str, Any]:
    """The fields of the flow at hand; empty outside of one."""
    return _current.get()


class flow:  # noqa: N801 - reads as a word where it is used
    """`with flow("triage", user=...):` or `@flow("triage")` on sync and async functions."""

    def __init__(self, name: str, **fields: Any) -> None:
        unknown = sorted(set(fields) - set(FIELDS))
        if unknown:  # an application is never stopped by what watches it
            log.warning("flowledger: flow() has no field %s, left out", ", ".join(unknown))
        known = {key: fields[key] for key in FIELDS if fields.get(key) is not None}
        self._fields = {"flow": name, **known}
        self._tokens: list[contextvars.Token[dict[str, Any]]] = []

    def __enter__(self) -> flow:
        outer = _current.get()
        run = outer.get("trace_id") or uuid.uuid4().hex
        self._tokens.append(_current.set({**outer, "trace_id": run, **self._fields}))
        return self

    def __exit__(self, *_: object) -> None:
        _current.reset(self._tokens.pop())

    def _again(self) -> flow:
        fields = dict(self._fields)
        return flow(fields.pop("flow"), **fields)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError("A generator opens its flow inside: with flow(...):")
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    return await function(*args, **kwargs)

            return awaited

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return called


def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, run in the flow that is at hand now: for threads and pools."""
    fields = dict(_current.get())

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        token = _current.set(fields)
        try:
            return function(*args, **kwargs)
        finally:
            _current.reset(token)

    return called

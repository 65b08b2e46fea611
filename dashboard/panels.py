"""A panel of a page: it has its figures, or says which of the other states it is in. One panel's failure is its own."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import OperationalError
from django.http import HttpRequest

from accounts.errors import ApiError
from dashboard.frame import Choice
from dashboard.scope import Scope

log = structlog.get_logger()
TOO_LONG = "This took longer than 10 seconds, so it was stopped."


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a panel says in place of figures: one serif sentence, a note, ways on."""

    say: str
    note: str = ""
    ways: tuple[Choice, ...] = ()
    failed: bool = False
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """`id` is its element's and the `panel` parameter's that asks for it alone; `body` the figures, or None."""

    id: str
    title: str
    template: str
    note: str = ""
    links: tuple[Choice, ...] = ()
    body: Any = None
    state: State | None = None
    retry: str = ""


def filled(panel: Panel, make: Callable[[], Any], *, scope: Scope) -> Panel:
    """The panel with what `make` gives (its body, or a State), or with its failure."""
    try:
        made = make()
    except ApiError as problem:
        made = _failure(problem, scope)
    except OperationalError as problem:
        made = _failure(ApiError(503, "database", "The database did not answer."), scope)
        log.warning("panel failed", panel=panel.id, problem=str(problem), reference=made.reference)
    state = made if isinstance(made, State) else None
    return Panel(
        id=panel.id,
        title=panel.title,
        template=panel.template,
        note=panel.note,
        links=panel.links,
        body=None if state else made,
        state=state,
        retry=scope.url(panel=panel.id) if state and state.reference else "",
    )


def _failure(problem: ApiError, scope: Scope) -> State:
    if problem.status == 422:
        note = problem.hint or ""
        return State(say=problem.message, note=note, failed=True)
    reference = f"q-{secrets.token_hex(3)}"
    log.warning("panel failed", code=problem.code, reference=reference, path=scope.path)
    slow = problem.code == "too_slow"
    note = (
        "The rest of the page is not affected. Ninety days or fewer answer in time."
        if slow
        else ("The rest of the page is not affected.")
    )
    return State(say=TOO_LONG if slow else problem.message, note=note, failed=True, reference=reference)


def asked_for(request: HttpRequest) -> str:
    """The panel that a refresh asks for, "" for the whole page."""
    return request.GET.get("panel", "") if request.headers.get("HX-Request") == "true" else ""

"""What a list is asked for: filters, period, order, page. Read from URL parameters, refused like a query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.datastructures import MultiValueDict

from accounts.models import Project
from analytics.asked import refuse
from analytics.compile import NAME_KINDS, Asked
from analytics.dimensions import RUNS, SCORES
from analytics.ledger_codes import COST_STATUSES
from analytics.opaque import read_id
from analytics.query import Query, parse
from analytics.score_names import unknown_score

DEFAULT_LIMIT, MAX_LIMIT = 100, 1_000
EXEMPLAR_KINDS = {"slowest": 1, "costliest": 2}
ORDERS = ("newest", *EXEMPLAR_KINDS, "failed")
WORST = "worst:"  # and the name of a score
STATUSES = tuple(dict.fromkeys(COST_STATUSES))
EXTREME_FILTERS = (
    "environment",
    "feature",
    "flow",
    "owner",
    "cost_centre",
)  # what the kept extreme runs know
_OWN = ("cursor", "limit", "order", "cost_status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a list is to hold. `query` carries project, period and filters; `bounded`: a period was given."""

    query: Query
    bounded: bool
    limit: int = DEFAULT_LIMIT
    after: tuple[datetime, UUID] | None = None  # the page begins behind this row
    order: str = "newest"
    cost_statuses: tuple[str, ...] = ()


def asked_for(params: Mapping[str, Sequence[str]], *, project: Project, now: datetime) -> Ask:
    """Read a list's parameters: period and filters as in a query, with cursor, limit, order, cost_status.

    Raises ApiError 422."""
    given = dict(params.lists()) if isinstance(params, MultiValueDict) else dict(params)
    own = {name: [value for value in given.pop(name, []) if value] for name in _OWN}
    query = parse({**given, "measures": ["calls"], "group_by": []}, project=project, now=now)
    _check_known_to_calls(query)
    return Ask(
        query=query,
        bounded=any(any(given.get(name, ())) for name in ("period", "from")),
        limit=_limit(own["limit"]),
        after=_after(own["cursor"]),
        order=_order((own["order"] or ["newest"])[-1], project),
        cost_statuses=tuple(_known("cost_status", value, STATUSES) for value in own["cost_status"]),
    )


def worst_of(order: str) -> str:
    """The score in `worst:<score>`; "" for any other order."""
    return order.removeprefix(WORST) if order.startswith(WORST) else ""


def _order(text: str, project: Project) -> str:
    if not worst_of(text):
        return _known("order", text, (*ORDERS, f"{WORST}<score>"))
    if (known := unknown_score(project, f"score:{worst_of(text)}")) is not None:
        hint = f"Known are {', '.join(known)}."
        raise refuse("order", f"There is no score {worst_of(text)[:60]!r}.", hint)
    return text


def _check_known_to_calls(query: Query) -> None:
    for one in query.filters:
        dimension = Asked(query, query.period.zone, {}).dimension(one.dimension)
        if dimension.sources == frozenset({SCORES}):
            hint = "Ask /v1/query for scores by it."
            raise refuse(one.dimension, f"Calls and runs have no {one.dimension}.", hint)


def check_runs(ask: Ask) -> None:
    """Runs know their series and their people. Raises ApiError 422 for any other filter."""
    if ask.cost_statuses:
        raise refuse("cost_status", "Runs have no cost status.", "Filter /v1/calls by it.")
    for one in ask.query.filters:
        dimension = Asked(ask.query, ask.query.period.zone, {}).dimension(one.dimension)
        if not (RUNS in dimension.sources or dimension.kind in ("status", *NAME_KINDS)):
            raise refuse(
                one.dimension, f"Runs cannot be filtered by {one.dimension}.", "Filter /v1/calls by it."
            )
        if ask.order in EXEMPLAR_KINDS and one.dimension not in EXTREME_FILTERS:
            raise refuse(
                one.dimension,
                f"The {ask.order} runs cannot be filtered by {one.dimension}.",
                f"Filter them by {', '.join(EXTREME_FILTERS)}, or leave out order.",
            )


def _limit(values: Sequence[str]) -> int:
    text = values[-1] if values else str(DEFAULT_LIMIT)
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_LIMIT):
        raise refuse("limit", f"{text[:40]!r} is no limit.", f"Give a whole number from 1 to {MAX_LIMIT}.")
    return int(text)


def _after(values: Sequence[str]) -> tuple[datetime, UUID] | None:
    if not values:
        return None
    found = read_id(values[-1])
    if found is None:
        raise refuse("cursor", "The cursor cannot be read.", "Give the `next` of the page before, unchanged.")
    return found


def _known(field: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise refuse(field, f"There is no {field} {value[:40]!r}.", f"Use one of {', '.join(known)}.")
    return value

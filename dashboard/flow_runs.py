"""The worst runs of a flow, each with the reason why it is here."""

from dataclasses import dataclass
from typing import Any

from accounts.errors import ApiError
from analytics import lists
from analytics.asks import Ask
from analytics.entries import Run
from dashboard import entries
from dashboard.entries import RunRow
from dashboard.flow_ask import FlowAsked
from dashboard.frame import Choice

ORDINALS = ("", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
EACH, MOST = 2, len(ORDINALS)  # of each reason in the mixed list; of one reason
MIXED = ""


@dataclass(frozen=True, slots=True)
class Worst:
    """One run and why it is here."""

    row: RunRow
    prompt: str
    why: str


def reasons(asked: FlowAsked) -> dict[str, tuple[str, str]]:
    """The `worst` parameter -> (its word, the order of the list)."""
    score = asked.quality.score
    found = {
        "slowest": ("Slowest", "slowest"),
        "costliest": ("Costliest", "costliest"),
        "failed": ("Last failed", "failed"),
    }
    return found | ({"scored": ("Worst score", f"worst:{score}")} if score else {})


def tabs(asked: FlowAsked) -> tuple[Choice, ...]:
    """Mixed, and one of each."""
    chosen = _chosen(asked)
    every = ((MIXED, "Mixed"), *((name, word) for name, (word, _) in reasons(asked).items()))
    return tuple(Choice(word, asked.page.url(worst=name or None), name == chosen) for name, word in every)


def _chosen(asked: FlowAsked) -> str:
    name = asked.page.value("worst")
    return name if name in reasons(asked) else MIXED


def worst(asked: FlowAsked) -> tuple[Worst, ...]:
    """The list that is asked for; of the mixed one each run once, with all its reasons."""
    chosen, known = _chosen(asked), reasons(asked)
    wanted = [chosen] if chosen else list(known)
    found: dict[Any, tuple[Run, list[str]]] = {}
    for name in wanted:
        for place, run in enumerate(_runs(asked, known[name][1], MOST if chosen else EACH)):
            found.setdefault(run.key, (run, []))[1].append(_why(asked, name, place, run))
    return tuple(
        Worst(entries.run_row(run, asked.page), run.dimensions.get("prompt_version") or "", ", ".join(said))
        for run, said in found.values()
    )


def _runs(asked: FlowAsked, order: str, limit: int) -> tuple[Run, ...]:
    query = asked.inside.query(base=None, compare="")
    try:
        return lists.runs(Ask(query=query, bounded=True, limit=limit, order=order), now=asked.page.now).runs
    except ApiError as problem:
        if problem.status == 422:  # a filter that the kept extreme runs do not know
            return ()
        raise


def _why(asked: FlowAsked, name: str, place: int, run: Run) -> str:
    rank = "" if not place else f"{ORDINALS[place]} "
    return {
        "slowest": f"{rank}slowest",
        "costliest": f"{rank}costliest",
        "failed": f"failed, {run.errors} of {run.calls} calls"
        if run.errors
        else "failed, as its sender says",
        "scored": f"{rank}worst {asked.quality.score}",
    }[name]

"""What measures can be grouped and filtered by, declared once, and which tables can answer each."""

from collections.abc import Collection
from dataclasses import dataclass

NONE = "(none)"
UNATTRIBUTED = "(unattributed)"
OTHER = "(other)"
SEVERAL = "(several)"
REST = "(rest)"
LABELS = (NONE, UNATTRIBUTED, OTHER, SEVERAL, REST)
TAG = "tag:"

USAGE, CUSTOMER, RUNS, AUDIENCE, RAW = "usage", "customer", "runs", "audience", "raw"
SCORES, SIGNS = "scores", "signs"
_EVERY = frozenset({USAGE, CUSTOMER, RUNS, AUDIENCE, RAW, SCORES, SIGNS})
_COARSE = frozenset({USAGE, CUSTOMER, RUNS, RAW, SCORES, SIGNS})
_SERIES = frozenset({USAGE, RUNS, RAW, SCORES, SIGNS})
CATALOGUED = frozenset({"feature", "flow", "owner", "cost_centre"})  # resolved with the catalogue of today


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One dimension. `sources`: the tables that know it.

    `label`: its name on pages. `text`: SQL of its text in the series (alias s, with flow and feature joined).
    `code`: SQL of a number or text in the rollup or ledger row itself (alias u), which `kind` tells how to read.
    """

    name: str
    label: str
    sources: frozenset[str]
    sentence: str
    text: str = ""
    code: str = ""
    kind: str = "text"  # text, class (of errors), status, customer, user, session, unit
    key: str = ""  # of a tag; stands for {key} in `text` or `code`
    named_in: str = ""  # the catalogue's table in which a name may be another name of something


def _series(name: str, label: str, sentence: str, *, coarse: bool = False) -> Dimension:
    """A dimension that is a column of the series; `coarse`: customers' rollups have it too."""
    return Dimension(
        name=name,
        label=label,
        sources=_COARSE if coarse else _SERIES,
        sentence=sentence,
        text=f"coalesce(s.{name}, '{NONE}')",
    )


def _inherited(column: str) -> str:
    """What a flow says of itself, else what its feature says of its flows."""
    return f"coalesce(nullif(flow.{column}, ''), nullif(feature.{column}, ''), '{NONE}')"


_SCORER = "(SELECT {} FROM scorer k WHERE k.project_id = u.project_id AND k.id = u.scorer_id)"
_DIMENSIONS = (
    Dimension(name="environment", label="Environment", sources=_EVERY, text="s.environment",
              sentence="Where the application ran."),
    Dimension(name="feature", label="Feature", sources=_EVERY, named_in="analytics_feature",
              text=f"CASE WHEN flow.id IS NULL THEN '{UNATTRIBUTED}' ELSE coalesce(feature.name, '{NONE}') END",
              sentence="The feature of the product that the flow belongs to today."),
    Dimension(name="owner", label="Owner", sources=_EVERY, text=_inherited("owner"),
              sentence="Who answers for the flow, or for its feature where the flow names nobody."),
    Dimension(name="cost_centre", label="Cost centre", sources=_EVERY, text=_inherited("cost_centre"),
              sentence="The cost centre of the flow, or of its feature where the flow names none."),
    Dimension(name="flow", label="Flow", sources=_EVERY, named_in="analytics_flow",
              text=f"coalesce(flow.name, '{UNATTRIBUTED}')", sentence="The user flow that the call served."),
    _series("step", "Step", "The step of the flow."),
    _series("operation", "Operation", "What was asked of the model: chat, embeddings, and so on."),
    _series("provider", "Provider", "Who was called.", coarse=True),
    _series("model", "Model", "The model asked for.", coarse=True),
    _series("response_model", "Answering model", "The snapshot that answered."),
    _series("service_tier", "Service tier", "Standard, batch, flex, priority."),
    _series("prompt", "Prompt", "The prompt's name."),
    _series("prompt_version", "Prompt version", "The prompt's version, or the fingerprint that stands in for it."),
    _series("retrieval", "Retrieval version", "The version of the knowledge that was searched."),
    _series("release", "Release", "The application's release."),
    Dimension(name="error_class", label="Error class", sources=frozenset({USAGE, RAW}), code="u.error_class",
              kind="class", sentence="Why calls failed; (none) = they did not."),
    Dimension(name="unit", label="Unit", sources=frozenset({USAGE, CUSTOMER, RAW}), kind="unit",
              sentence="What the money went for: input, cache_read, cache_write, output, other. For cost only."),
    Dimension(name="customer", label="Customer", sources=frozenset({CUSTOMER, RAW}), code="coalesce(u.customer_id, 0)",
              kind="customer", sentence="The customer that the call was for."),
    Dimension(name="source", label="Score source", sources=frozenset({SCORES}), code=_SCORER.format("k.source"),
              sentence="Where a score comes from: user, heuristic, judge, human."),
    Dimension(name="judge_version", label="Judge version", sources=frozenset({SCORES}),
              code=_SCORER.format(f"coalesce(k.judge_version, '{NONE}')"),
              sentence="The version of the judge that gave the score."),
    Dimension(name="user", label="User", sources=frozenset({RAW}), code="coalesce(u.user_id, 0)", kind="user",
              sentence="The user that the call was for; over at most 24 hours."),
    Dimension(name="session", label="Session", sources=frozenset({RAW}), code="coalesce(u.session_id, 0)",
              kind="session", sentence="The session of the call; over at most 24 hours."),
    Dimension(name="status", label="Status", sources=frozenset({RAW}), code="(u.error_class <> 0)",
              kind="status", sentence="ok or error; over at most 24 hours."),
    Dimension(name="error_type", label="Error type", sources=frozenset({RAW}),
              code=f"coalesce(u.error_type, '{NONE}')",
              sentence="The error's name as the sender gave it; over at most 24 hours."),
)  # fmt: skip

DIMENSIONS: dict[str, Dimension] = {dimension.name: dimension for dimension in _DIMENSIONS}


def dimension_of(name: str, *, tracked: Collection[str]) -> Dimension | None:
    """The dimension of that name; `tag:<key>` is one for every key. None when it does not exist.

    A tracked tag is part of the series; any other tag is known to calls only."""
    if not name.startswith(TAG) or name == TAG:
        return DIMENSIONS.get(name)
    key = name.removeprefix(TAG)
    sentence = f"The tag {key} that the sender gave."
    if key in tracked:
        return Dimension(name=name, label=f"Tag {key}", sources=_SERIES, sentence=sentence, key=key,
                         text=f"coalesce(s.tags ->> {{key}}, '{NONE}')")  # fmt: skip
    return Dimension(name=name, label=f"Tag {key}", sources=frozenset({RAW}), sentence=sentence, key=key,
                     code=f"coalesce(u.tags ->> {{key}}, '{NONE}')")  # fmt: skip

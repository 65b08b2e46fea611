"""What measures can be grouped and filtered by, declared once, and which tables can answer each."""

from dataclasses import dataclass

NONE = "(none)"
UNATTRIBUTED = "(unattributed)"
OTHER = "(other)"
SEVERAL = "(several)"
REST = "(rest)"
LABELS = (NONE, UNATTRIBUTED, OTHER, SEVERAL, REST)
TAG = "tag:"

USAGE, CUSTOMER, RUNS, AUDIENCE, RAW = "usage", "customer", "runs", "audience", "raw"
_EVERY = frozenset({USAGE, CUSTOMER, RUNS, AUDIENCE, RAW})
_COARSE = frozenset({USAGE, CUSTOMER, RUNS, RAW})
_SERIES = frozenset({USAGE, RUNS, RAW})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One dimension. `sources`: the tables that know it; `column`: where the text stands, an SQL name.

    `empty`: what a call without a value shows."""

    name: str
    label: str
    sources: frozenset[str]
    column: str
    empty: str = NONE
    sentence: str = ""


_DIMENSIONS = (
    Dimension(name="environment", label="Environment", sources=_EVERY, column="s.environment",
              sentence="Where the application ran."),
    Dimension(name="feature", label="Feature", sources=_EVERY, column="feature.name",
              sentence="The feature of the product that the flow belongs to today."),
    Dimension(name="flow", label="Flow", sources=_EVERY, column="flow.name", empty=UNATTRIBUTED,
              sentence="The user flow that the call served."),
    Dimension(name="step", label="Step", sources=_SERIES, column="s.step", sentence="The step of the flow."),
    Dimension(name="operation", label="Operation", sources=_SERIES, column="s.operation",
              sentence="What was asked of the model: chat, embeddings, …"),
    Dimension(name="provider", label="Provider", sources=_COARSE, column="s.provider",
              sentence="Who was called."),
    Dimension(name="model", label="Model", sources=_COARSE, column="s.model",
              sentence="The model asked for."),
    Dimension(name="response_model", label="Answering model", sources=_SERIES, column="s.response_model",
              sentence="The snapshot that answered."),
    Dimension(name="service_tier", label="Service tier", sources=_SERIES, column="s.service_tier",
              sentence="Standard, batch, flex, priority."),
    Dimension(name="prompt", label="Prompt", sources=_SERIES, column="s.prompt",
              sentence="The prompt's name."),
    Dimension(name="prompt_version", label="Prompt version", sources=_SERIES, column="s.prompt_version",
              sentence="The prompt's version, or the fingerprint that stands in for it."),
    Dimension(name="retrieval", label="Retrieval version", sources=_SERIES, column="s.retrieval",
              sentence="The version of the knowledge that was searched."),
    Dimension(name="release", label="Release", sources=_SERIES, column="s.release",
              sentence="The application's release."),
    Dimension(name="error_class", label="Error class", sources=frozenset({USAGE, RAW}),
              column="u.error_class", sentence="Why calls failed; (none) = they did not."),
    Dimension(name="unit", label="Unit", sources=frozenset({USAGE, CUSTOMER, RAW}), column="",
              sentence="What the money went for: input, cache, output, other. For cost only."),
    Dimension(name="customer", label="Customer", sources=frozenset({CUSTOMER, RAW}), column="customer.value",
              sentence="The customer that the call was for."),
    Dimension(name="user", label="User", sources=frozenset({RAW}), column="person.value",
              sentence="The user that the call was for; over at most 24 hours."),
    Dimension(name="session", label="Session", sources=frozenset({RAW}), column="session.value",
              sentence="The session of the call; over at most 24 hours."),
    Dimension(name="status", label="Status", sources=frozenset({RAW}), column="u.status",
              sentence="ok or error; over at most 24 hours."),
    Dimension(name="error_type", label="Error type", sources=frozenset({RAW}), column="u.error_type",
              sentence="The error's name as the sender gave it; over at most 24 hours."),
)  # fmt: skip

DIMENSIONS: dict[str, Dimension] = {dimension.name: dimension for dimension in _DIMENSIONS}


def dimension_of(name: str, *, tracked: frozenset[str] | list[str]) -> Dimension | None:
    """The dimension of that name; `tag:<key>` is one for every key. None when it does not exist.

    A tracked tag is part of the series; any other tag is known to calls only."""
    if not name.startswith(TAG) or name == TAG:
        return DIMENSIONS.get(name)
    key = name.removeprefix(TAG)
    is_tracked = key in tracked
    return Dimension(
        name=name,
        label=f"Tag {key}",
        sources=_SERIES if is_tracked else frozenset({RAW}),
        column="s.tags" if is_tracked else "tag_set.tags",
        sentence=f"The tag {key} that the sender gave.",
    )

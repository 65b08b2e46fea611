"""Kestrel Desk, the made-up support product: its models, features, flows and steps, declared."""

from typing import NamedTuple


class Model(NamedTuple):
    """A model as the product calls it. `ttft_ms`, `per_second`: median wait for the first token, tokens a second."""

    provider: str
    name: str
    answers_as: str
    ttft_ms: float
    per_second: float
    reasoning: int = 0  # median reasoning tokens of a call
    writes_cache: bool = False  # a first use of a prefix is a cache write of its own


class Step(NamedTuple):
    """One step of a flow. `models`: (days before the demo was made, model), the later ones take over."""

    name: str
    models: tuple[tuple[float, str], ...]
    input: int  # median tokens, the cached part among them
    output: int
    cached: float = 0.0  # share of the input that is a prefix other calls have too
    repeats: int = 1  # at most so many calls of it in a run
    streamed: bool = False
    versioned: bool = True  # the step that the flow's prompt belongs to
    operation: str = "chat"


class Plan(NamedTuple):
    """A flow: what share of the product's runs it is, and its steps in their order."""

    name: str
    feature: str
    weight: float
    steps: tuple[Step, ...]
    prompt: str | None = None
    versions: int = 5  # of its prompt, when the demo was made
    traced: bool = True  # its runs have a trace id
    retrieval: bool = False
    new_for: float | None = None  # in use since so many days only, and not confirmed yet
    background: bool = False  # a job: no user
    outcome: bool = False  # the product says whether it helped


ALWAYS = 10_000.0
EMBEDDING = "text-embedding-3-small"
PRIVATE = "kestrel-tone-7b"  # the product's own model: nobody gave it a price yet
FALLBACK = {
    "anthropic": "gpt-4.1",
    "openai": "gemini-2.5-flash",
    "google": "gpt-4.1-mini",
    "mistral": "gpt-4.1",
}

MODELS = {
    model.name: model
    for model in (
        Model("openai", "gpt-4.1", "gpt-4.1-2025-04-14", 560, 72),
        Model("openai", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", 380, 95),
        Model("openai", "o4-mini", "o4-mini-2025-04-16", 2900, 110, reasoning=900),
        Model("openai", EMBEDDING, EMBEDDING, 90, 1e6),
        Model("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", 780, 68, writes_cache=True),
        Model("anthropic", "claude-haiku-4-5", "claude-haiku-4-5-20251001", 420, 130, writes_cache=True),
        Model("google", "gemini-2.5-flash", "gemini-2.5-flash", 340, 180, reasoning=160),
        Model("mistral", "mistral-large-4", "mistral-large-4", 610, 60),
        Model("kestrel", PRIVATE, PRIVATE, 60, 240),
    )
}


def _one(model: str) -> tuple[tuple[float, str], ...]:
    return ((ALWAYS, model),)


def _embedding(tokens: int, name: str = "retrieve") -> Step:
    return Step(name, _one(EMBEDDING), tokens, 0, versioned=False, operation="embeddings")


SUPPORT, SEARCH, EMAIL = "Support assistant", "Search answers", "Email drafting"
MEETINGS, CONTRACTS = "Meeting notes", "Contract review"

FLOWS = (
    Plan("support-triage", SUPPORT, 24.0, (
        Step("classify", ((ALWAYS, "gpt-4.1"),), 2600, 70),
    ), prompt="triage", versions=12),
    Plan("support-answer", SUPPORT, 19.0, (
        _embedding(60),
        Step("answer", ((ALWAYS, "gpt-4.1"), (118.0, "claude-sonnet-4-5")), 13_500, 430, 0.55, streamed=True),
        Step("check", ((ALWAYS, "gpt-4.1-mini"), (45.0, "claude-haiku-4-5")), 2100, 45, versioned=False),
    ), prompt="answer", versions=9, retrieval=True, outcome=True),
    Plan("support-escalate", SUPPORT, 3.0, (
        Step("decide", _one("o4-mini"), 3400, 190),
    ), prompt="escalate", versions=3),
    Plan("support-summary", SUPPORT, 7.0, (
        Step("summarise", _one("gemini-2.5-flash"), 7200, 280),
    ), prompt="summary", versions=4),
    Plan("search-answer", SEARCH, 14.0, (
        _embedding(24),
        Step("answer", _one("gpt-4.1-mini"), 11_800, 310, 0.2, streamed=True),
    ), prompt="search", versions=7, retrieval=True),
    Plan("search-suggest", SEARCH, 10.0, (
        Step("suggest", _one("gemini-2.5-flash"), 420, 45, streamed=True),
    ), prompt="suggest", versions=2, traced=False),
    Plan("doc-embed", SEARCH, 6.0, (
        _embedding(6400, "embed"),
    ), traced=False, background=True),
    Plan("email-draft", EMAIL, 7.0, (
        Step("draft", ((ALWAYS, "gpt-4.1"),), 3400, 390, 0.4, streamed=True),
        Step("polish", _one("gpt-4.1-mini"), 1200, 340, versioned=False),
    ), prompt="draft", versions=6),
    Plan("email-tone", EMAIL, 1.5, (
        Step("tone", _one(PRIVATE), 640, 20),
    ), traced=False, new_for=12.0),
    Plan("meeting-notes", MEETINGS, 2.6, (
        Step("summarise", _one("gemini-2.5-flash"), 16_500, 620, repeats=4, versioned=False),
        Step("merge", ((ALWAYS, "gpt-4.1"),), 5200, 720, streamed=True),
    ), prompt="notes", versions=5),
    Plan("action-items", MEETINGS, 2.4, (
        Step("extract", _one("gpt-4.1-mini"), 5200, 230),
    ), prompt="actions", versions=3),
    Plan("contract-review", CONTRACTS, 1.5, (
        Step("outline", _one("claude-sonnet-4-5"), 41_000, 900, 0.6, versioned=False),
        Step("review", _one("claude-sonnet-4-5"), 44_000, 1200, 0.85, repeats=4, streamed=True),
        Step("check", _one("o4-mini"), 9000, 320, versioned=False),
    ), prompt="review", versions=8),
    Plan("contract-compare", CONTRACTS, 1.2, (
        Step("compare", _one("mistral-large-4"), 36_000, 950),
    ), prompt="compare", versions=3),
    Plan("clause-search", CONTRACTS, 0.8, (
        _embedding(40),
        Step("pick", _one("claude-haiku-4-5"), 3600, 130),
    ), prompt="clauses", versions=1, retrieval=True, new_for=9.0),
)  # fmt: skip

# Names that are obviously made up, largest first.
CUSTOMERS = (
    "globex", "acme", "initech", "umbrella", "hooli", "wonka", "stark", "wayne", "cyberdyne", "tyrell", "soylent",
    "duff", "gringotts", "aperture", "blackmesa", "oscorp", "vandelay", "dunder", "sterling", "pied-piper",
    "bluth", "los-pollos", "krusty", "monsters", "buynlarge", "weyland", "nakatomi", "omni", "rekall", "spacely",
    "virtucon", "zorg", "genco", "prestige", "strickland", "wernham", "sirius", "encom", "yoyodyne", "mooby",
)  # fmt: skip
TIERS = ("enterprise", "team", "starter")

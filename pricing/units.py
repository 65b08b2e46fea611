"""Every unit that can have a price, declared once: its kind, and where its price falls back to.

Token buckets are disjoint: each token of a call is in exactly one of them, so costs add up without
corrections. A unit without a price of its own costs what its fallback costs, as in genai-prices: cached
input without a cache price is plain input, reasoning is output, a one-hour cache write is a five-minute one.
A unit whose fallbacks have no price either makes a charge partial.
"""

from typing import NamedTuple, Protocol

BUCKETS = (
    "input",  # uncached text input
    "cache_read",
    "cache_write",  # kept 5 minutes, or no lifetime told
    "cache_write_1h",
    "output",  # visible
    "reasoning",
    "audio_input",
    "audio_output",
)

# Cost as rollups keep it. cache_write: both writes; input and output: with audio, images and video,
# output also with reasoning; other: named units and per-request fees; unsplit: a reported total that no
# computed proportion divides.
KINDS = ("input", "cache_read", "cache_write", "output", "other", "unsplit")

REQUEST = "requests"  # the fee of one call, counted by the price and not by the sender


class Counts(Protocol):
    """Disjoint token counts of one call by bucket; None = unknown."""

    @property
    def input(self) -> int | None: ...
    @property
    def cache_read(self) -> int | None: ...
    @property
    def cache_write(self) -> int | None: ...
    @property
    def cache_write_1h(self) -> int | None: ...
    @property
    def output(self) -> int | None: ...
    @property
    def reasoning(self) -> int | None: ...
    @property
    def audio_input(self) -> int | None: ...
    @property
    def audio_output(self) -> int | None: ...


class Unit(NamedTuple):
    """`kind`: where its cost is added. `fallback`: units whose price it takes, in order.

    `prompt`: counts towards the prompt length that decides a price tier.
    """

    kind: str
    fallback: tuple[str, ...] = ()
    prompt: bool = False


UNITS: dict[str, Unit] = {
    "input": Unit("input", (), True),
    "cache_read": Unit("cache_read", ("input",), True),
    "cache_write": Unit("cache_write", ("input",), True),
    "cache_write_1h": Unit("cache_write", ("cache_write", "input"), True),
    "output": Unit("output"),
    "reasoning": Unit("output", ("output",)),
    "audio_input": Unit("input", ("input",), True),
    "audio_output": Unit("output", ("output",)),
    "cache_audio_read_tokens": Unit("cache_read", ("cache_read", "audio_input", "input"), True),
    "cache_image_read_tokens": Unit("cache_read", ("cache_read", "input_image_tokens", "input"), True),
    "input_image_tokens": Unit("input", ("input",), True),
    "input_video_tokens": Unit("input", ("input",), True),
    "input_tool_tokens": Unit("input", ("input",), True),
    "output_image_tokens": Unit("output", ("output",)),
    "output_video_tokens": Unit("output", ("output",)),
    "output_citation_tokens": Unit("output", ("output",)),
    "input_characters": Unit("other"),
    "input_text_messages": Unit("other"),
    "audio_seconds": Unit("other", ("input_audio_seconds",)),
    "input_audio_seconds": Unit("other", ("audio_seconds",)),
    "output_audio_seconds": Unit("other", ("audio_seconds",)),
    "input_pixels": Unit("other"),
    "input_document_pages": Unit("other"),
    "input_annotated_document_pages": Unit("other", ("input_document_pages",)),
    "rerank_searches": Unit("other"),
    "web_searches": Unit("other"),
    "social_searches": Unit("other"),
    "storage_searches": Unit("other"),
    "code_executions": Unit("other"),
    REQUEST: Unit("other"),
}

UNKNOWN_UNIT = Unit("other")

# Names under which senders report the same thing.
UNIT_ALIASES = {
    "characters": "input_characters",
    "code_interpreter_calls": "code_executions",
    "code_execution_requests": "code_executions",
    "document_pages": "input_document_pages",
    "file_searches": "storage_searches",
    "image_tokens": "input_image_tokens",
    "num_search_queries": "web_searches",
    "pages": "input_document_pages",
    "pages_processed": "input_document_pages",
    "prompt_audio_seconds": "input_audio_seconds",
    "request_count": REQUEST,
    "search_units": "rerank_searches",
    "seconds": "audio_seconds",
    "video_tokens": "input_video_tokens",
    "web_search_calls": "web_searches",
    "web_search_requests": "web_searches",
}

# A service tier as senders spell it -> as prices name it; "" is the standard price.
_TIER_ALIASES = {
    "auto": "",
    "batches": "batch",
    "default": "",
    "on_demand": "",
    "ondemand": "",
    "standard": "",
    "standard_only": "",
}


def tier_of(service_tier: str | None) -> str:
    """The price book's name of a sender's service tier: "" (standard), "batch", "flex", "priority", …"""
    if not service_tier:
        return ""
    name = service_tier.strip().lower().removeprefix("service_tier_")
    return _TIER_ALIASES.get(name, name)


def unit_of(name: str) -> str:
    """The declared name of a unit that a sender reports under any of its names; unknown names stay."""
    return UNIT_ALIASES.get(name, name)

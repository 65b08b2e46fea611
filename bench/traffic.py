"""Traffic as a support product makes it: 50 flows of 1 to 4 of 20 models, 2,000 customers, Zipf everywhere.

Half of the calls belong to traces of three; 2 % fail. Everything is drawn from one seed.
"""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

MODELS = (
    ("openai", "gpt-4o-mini"), ("openai", "gpt-4o"), ("openai", "gpt-4.1"), ("openai", "gpt-4.1-mini"),
    ("openai", "gpt-4.1-nano"), ("openai", "o3-mini"), ("openai", "o3"), ("openai", "o4-mini"),
    ("anthropic", "claude-3-5-haiku-latest"), ("anthropic", "claude-3-5-sonnet-latest"),
    ("anthropic", "claude-3-7-sonnet-latest"), ("anthropic", "claude-sonnet-4-0"), ("google", "gemini-1.5-flash"),
    ("google", "gemini-1.5-pro"), ("google", "gemini-2.0-flash"), ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash"), ("mistral", "mistral-large-latest"), ("deepseek", "deepseek-chat"),
    ("cohere", "command-r"),
)  # fmt: skip
FLOWS, CUSTOMERS, USERS = 50, 2_000, 20_000
STEPS = ("classify", "retrieve", "answer")
TRACED = 0.25  # of groups: a group of three for each three single calls makes half of the calls


def zipf(count: int, exponent: float = 1.07) -> list[float]:
    """Cumulative weights of `count` things, the first the most frequent."""
    return list(itertools.accumulate(1 / n**exponent for n in range(1, count + 1)))


@dataclass
class World:
    """Who calls what; the same seed gives the same calls."""

    seed: int
    draw: random.Random = field(init=False)
    models: list[list[tuple[str, str]]] = field(init=False)

    def __post_init__(self) -> None:
        fixed = random.Random(7)  # every world has the same flows and models
        self.models = [fixed.sample(MODELS, fixed.randint(1, 4)) for _ in range(FLOWS)]
        self.draw = random.Random(self.seed)
        self._flows, self._customers, self._users = map(zipf, (FLOWS, CUSTOMERS, USERS))

    def _pick(self, weights: list[float]) -> int:
        return self.draw.choices(range(len(weights)), cum_weights=weights)[0]

    def groups(self, at_us: int, spread_us: int) -> Iterator[list[dict[str, Any]]]:
        """Calls for ever, in groups of one (no trace) or three (a trace), in the minute before `at_us`."""
        draw = self.draw
        while True:
            flow = self._pick(self._flows)
            who = {
                "customer": f"customer-{self._pick(self._customers)}",
                "user": f"user-{self._pick(self._users)}",
            }
            start = at_us - draw.randrange(spread_us)
            if draw.random() < TRACED:
                trace = f"{draw.getrandbits(128):032x}"
                yield [
                    self._call(flow, start + n * 400_000) | who | {"trace_id": trace, "step": step}
                    for n, step in enumerate(STEPS)
                ]
            else:
                yield [self._call(flow, start) | who]

    def _call(self, flow: int, start_us: int) -> dict[str, Any]:
        draw = self.draw
        provider, model = draw.choice(self.models[flow])
        failed = draw.random() < 0.02
        tokens = int(draw.lognormvariate(6.5, 1))
        return {
            "id": f"{draw.getrandbits(128):032x}",
            "timestamp": datetime.fromtimestamp(start_us / 1e6, UTC).isoformat(),
            "feature": f"feature-{flow % 10}", "flow": f"flow-{flow}", "environment": "production",
            "provider": provider, "model": model, "operation": "chat",
            "prompt": {"name": f"prompt-{flow}", "version": str(1 + flow % 3)}, "release": "web@4.2.0",
            "usage": {} if failed else {
                "input_tokens": tokens, "cache_read_tokens": tokens // 3, "output_tokens": draw.randrange(20, 600),
            },
            "duration_ms": round(draw.lognormvariate(6.8, 0.6), 1), "time_to_first_token_ms": draw.randrange(90, 600),
            "status": "error" if failed else "ok", "finish_reason": "error" if failed else "stop",
        } | ({"error_type": "rate_limit_exceeded"} if failed else {})  # fmt: skip

    def events(self, at_us: int, spread_us: int = 60_000_000) -> Iterator[dict[str, Any]]:
        """Calls for ever, as the native format has them."""
        return itertools.chain.from_iterable(self.groups(at_us, spread_us))


@dataclass(frozen=True, slots=True)
class Body:
    """One request: what is posted and how many items it has, with their ids where they are wanted."""

    path: str
    type: str
    data: bytes
    items: int
    calls: tuple[str, ...] = ()


def native(world: World, *, at_us: int, items: int, size: int) -> Iterator[Body]:
    """`items` events in requests of `size`."""
    events = world.events(at_us)
    for start in range(0, items, size):
        batch = list(itertools.islice(events, min(size, items - start)))
        ids = tuple(event["id"] for event in batch)
        yield Body("/v1/events", "application/json", msgspec.json.encode({"events": batch}), len(batch), ids)


def otlp(world: World, *, at_us: int, items: int, size: int = 512) -> Iterator[Body]:
    """About `items` spans in requests of `size`: a step around its one or three calls, as instrumentations send."""
    pending: list[Span] = []
    ids: list[str] = []
    sent = 0
    for group in world.groups(at_us, 60_000_000):
        spans, calls = _spans(group, world.draw)
        pending += spans
        ids += calls
        if len(pending) >= size:
            sent += len(pending)
            yield Body("/v1/traces", "application/x-protobuf", _request(pending), len(pending), tuple(ids))
            pending, ids = [], []
            if sent >= items:
                return


def _spans(group: list[dict[str, Any]], draw: random.Random) -> tuple[list[Span], list[str]]:
    trace = bytes.fromhex(group[0].get("trace_id") or f"{draw.getrandbits(128):032x}")
    root, first = draw.randbytes(8), group[0]
    begin = round(datetime.fromisoformat(first["timestamp"]).timestamp() * 1e6) * 1000
    attributes = {
        "flowledger.flow": first["flow"], "flowledger.customer": first["customer"], "user.id": first["user"],
    }  # fmt: skip
    spans = [_span(trace, root, b"", first["flow"], begin, 2_000_000_000, attributes)]
    calls = []
    for event in group:
        own = draw.randbytes(8)
        at = round(datetime.fromisoformat(event["timestamp"]).timestamp() * 1e6) * 1000
        spans.append(
            _span(
                trace, own, root, f"chat {event['model']}", at, int(event["duration_ms"] * 1e6), _genai(event)
            )
        )
        calls.append(f"{trace.hex()}-{own.hex()}")
    return spans, calls


def _genai(event: dict[str, Any]) -> dict[str, Any]:
    usage = event["usage"]
    given = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": event["provider"],
        "gen_ai.request.model": event["model"], "gen_ai.response.model": event["model"],
        "gen_ai.usage.input_tokens": usage.get("input_tokens"),
        "gen_ai.usage.cache_read.input_tokens": usage.get("cache_read_tokens"),
        "gen_ai.usage.output_tokens": usage.get("output_tokens"), "gen_ai.response.id": event["id"],
        "error.type": event.get("error_type"), "server.address": "api.example.com",
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def _span(
    trace: bytes,
    own: bytes,
    parent: bytes,
    name: str,
    start_ns: int,
    took_ns: int,
    attributes: dict[str, Any],
) -> Span:
    span = Span(
        trace_id=trace, span_id=own, parent_span_id=parent, name=name, kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=start_ns, end_time_unix_nano=start_ns + took_ns,
        attributes=[
            KeyValue(key=key, value=_any(value))
            for key, value in attributes.items()
        ],
    )  # fmt: skip
    if "error.type" in attributes:
        span.status.code = 2  # type: ignore[assignment]  # error; protobuf's enums are numbers
    return span


def _any(value: Any) -> AnyValue:
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)


def _request(spans: list[Span]) -> bytes:
    scope = ScopeSpans(
        scope=InstrumentationScope(name="opentelemetry.instrumentation.openai_v2"), spans=spans
    )
    service = KeyValue(key="service.name", value=AnyValue(string_value="support"))
    resource = Resource(attributes=[service])
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope])]
    ).SerializeToString()

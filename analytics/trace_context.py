"""Who a call was for and what it served: attributes of spans, handed down a trace. Pure.

Order for each of flow, user, session, environment, prompt, tags: the call's own, then the nearest ancestor's,
then what speaks of the whole trace, then the resource. The flow without an explicit name is the outermost
workflow, else the outermost span that is no call and no framework's, else the outermost agent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ingest.records import MAX_TAGS, SpanRecord
from ingest.wire.conventions.names import is_framework, plain_name

NEAREST = frozenset(
    (
        "flow", "feature", "customer", "user", "session", "conversation", "environment", "release",
        "retrieval", "prompt", "prompt_version",
    )
)  # fmt: skip
_INHERITED = ("flow", "feature", "customer", "user", "session", "environment", "release", "retrieval")
_PROMPT = ("prompt", "prompt_version")
_NAMES_FLOW = frozenset(("step", "workflow"))
_NAMES_STEP = frozenset(("step", "workflow", "tool", "retrieval", "agent"))


class Frame(msgspec.Struct, frozen=True):
    """What a span hands down to those below it: its own values over those from above."""

    near: Mapping[str, str] = {}
    workflow: str | None = None  # outermost
    name: str | None = None  # outermost
    agent: str | None = None  # outermost
    step: str | None = None  # nearest
    call: str | None = None  # nearest span that is a call, this one included
    tags: Mapping[str, str] | None = None
    outer: str | None = None  # nearest span above that is a call


EMPTY = Frame()


class Context(msgspec.Struct, frozen=True):
    """Frames of a trace's spans by span id, and what holds for all of them."""

    frames: dict[str, Frame]
    root: SpanRecord | None  # the earliest span without a parent
    shared: dict[str, str]


def context_of(spans: Sequence[SpanRecord], by_id: Mapping[str, SpanRecord]) -> Context:
    """Frames of all spans of one trace, which come sorted; a span whose parent is absent stands below the root."""
    root = next((span for span in spans if span.parent is None), None)
    shared: dict[str, str] = {}
    for span in spans:
        for key, value in span.trace_context.items():
            shared.setdefault(key, value)
    if root is not None:
        for key, value in root.context.items():
            if key in NEAREST:
                shared.setdefault(key, value)
    frames: dict[str, Frame] = {}
    base = EMPTY
    if root is not None:
        base = msgspec.structs.replace(frame_below(EMPTY, root), step=None, call=None)
        frames[root.span] = frame_below(EMPTY, root)
    for span in spans:
        if span.span not in frames:
            _fill(span, by_id, frames, base)
    return Context(frames, root, shared)


def _fill(span: SpanRecord, by_id: Mapping[str, SpanRecord], frames: dict[str, Frame], base: Frame) -> None:
    """Frames of the span and its ancestors, outermost first; a circle of parents is cut where it closes."""
    chain = [span]
    seen = {span.span}
    while (parent := by_id.get(chain[-1].parent or "")) is not None and parent.span not in frames:
        if parent.span in seen:
            break
        seen.add(parent.span)
        chain.append(parent)
    top = chain[-1]
    above = EMPTY if top.parent is None else frames.get(top.parent, base)
    for one in reversed(chain):
        above = frame_below(above, one)
        frames[one.span] = above


def frame_below(above: Frame, span: SpanRecord) -> Frame:
    """The frame of a span under the frame `above` it."""
    kind, context = span.kind, span.context
    is_call = kind == "call"
    if is_call and not context and not span.trace_context and not span.tags:
        return msgspec.structs.replace(above, call=span.span, outer=above.call)
    name = None if is_call else plain_name(span.name)
    named = name is not None and not is_framework(name) and name != ""
    step = context.get("step") or context.get("agent") or (name if named and kind in _NAMES_STEP else None)
    return Frame(
        _nearest(above.near, span),
        above.workflow or context.get("workflow"),
        above.name or (name if named and kind in _NAMES_FLOW else None),
        above.agent or context.get("agent"),
        step or above.step,
        span.span if is_call else above.call,
        {**(above.tags or {}), **span.tags} if span.tags else above.tags,
        above.call,
    )


def _nearest(above: Mapping[str, str], span: SpanRecord) -> Mapping[str, str]:
    own = {key: value for key, value in span.context.items() if key in NEAREST}
    for key, value in span.trace_context.items():
        own.setdefault(key, value)
    if not own:
        return above
    if "prompt" in own or "prompt_version" in own:  # name and version come from one span
        above = {key: value for key, value in above.items() if key not in _PROMPT}
    return {**above, **own}


def call_context(span: SpanRecord, context: Context, absorbed: Sequence[SpanRecord] = ()) -> dict[str, Any]:
    """Fields of `CallRecord` that say whom the call was for, after the order of this module."""
    frame = context.frames[span.span]
    near, tags = frame.near, frame.tags
    if absorbed:
        for other in reversed(absorbed):  # the nearest last, to win
            near = _nearest(near, other)
            tags = {**(other.tags or {}), **(tags or {})}
        near = _nearest(near, span)
    shared, resource = context.shared, span.resource_context
    found: dict[str, Any] = {key: near.get(key) or shared.get(key) or resource.get(key) for key in _INHERITED}
    prompt = next((level for level in (near, shared) if "prompt" in level or "prompt_version" in level), None)
    if prompt is not None:
        found["prompt"], found["prompt_version"] = prompt.get("prompt"), prompt.get("prompt_version")
    found["session"] = found["session"] or near.get("conversation") or shared.get("conversation")
    flow = found["flow"] or frame.workflow or frame.name or frame.agent
    found["flow"] = flow
    found["step"] = frame.step if frame.step != flow else None
    found["tags"] = dict(sorted(tags.items())[:MAX_TAGS]) if tags else None
    return found

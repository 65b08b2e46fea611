"""The resolver's rules, one by one, and that its answer depends on the spans alone."""

import random
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.resolve import resolve
from ingest.records import CallRecord, SpanRecord, Tokens

TRACE = "0123456789abcdef0123456789abcdef"
START_US = 1_795_000_000_000_000
MS = 1000


def sid(number):
    return f"{number:016x}"


def step(number, parent=None, *, kind="step", at=None, took=100, **fields):
    """Span `number`, starting at `at` ms (default: its number) and lasting `took` ms."""
    started_us = START_US + (number if at is None else at) * MS
    given = {"name": f"step {number}", "scope": "app"} | fields
    return SpanRecord(
        trace=TRACE, span=sid(number), parent=None if parent is None else sid(parent), kind=kind,
        started_us=started_us, ended_us=started_us + took * MS, **given,
    )  # fmt: skip


def call(number, parent=None, *, told=None, **fields):
    """A call span; `told` are fields of its record."""
    span = step(number, parent, kind=fields.pop("kind", "call"), **fields)
    given = {"model": "gpt-4o", "operation": "chat", "tokens": Tokens(input=10, output=5)} | (told or {})
    record = CallRecord(
        id=f"{TRACE}-{span.span}", started_us=span.started_us, trace=TRACE, span=span.span,
        duration_us=span.ended_us - span.started_us, **given,
    )  # fmt: skip
    return msgspec.structs.replace(span, call=record, failed=record.failed, name="chat gpt-4o")


def failing(number, parent=None, *, error_class="rate_limit", **fields):
    told = {"failed": True, "error_class": error_class, "tokens": Tokens()}
    return call(number, parent, told=told | fields.pop("told", {}), **fields)


def numbers(resolved):
    return [int(one.span or "", 16) for one in resolved.calls]


def only(*spans):
    (found,) = resolve(spans).calls
    return found


def test_a_call_around_a_call_is_a_wrapper_and_completes_it():
    outer = call(
        1,
        scope="litellm",
        told={"estimated_cost": Decimal(3), "ttft_us": 7, "tokens": Tokens(4, 6, output=5)},
    )
    inner = call(2, 1, scope="openai", took=50, told={"response_id": "r1"})
    found = resolve([inner, msgspec.structs.replace(outer, context={"user": "u1"})])
    (one,) = found.calls
    assert (one.span, one.duplicates, one.user, one.estimated_cost, one.ttft_us) == (
        sid(2),
        1,
        "u1",
        Decimal(3),
        7,
    )
    assert one.tokens == Tokens(input=4, cache_read=6, output=5)  # the same total, told in more detail
    assert found.absorbed == {sid(1): sid(2)}


def test_several_calls_in_a_wrapper_each_count_and_take_no_figures_from_it():
    outer = call(
        1, scope="sdk", told={"tokens": Tokens(99, output=99), "estimated_cost": Decimal(1)}, took=400
    )
    found = resolve([outer, failing(2, 1), call(3, 1, at=200, told={"model": "other"})])
    assert [(one.attempt, one.failed, one.duplicates) for one in found.calls] == [(1, True, 0), (2, False, 1)]
    assert [one.tokens.input for one in found.calls] == [None, 10]
    assert all(one.estimated_cost is None for one in found.calls)
    assert (found.outcome, found.rescued) == (True, True)


def test_a_call_that_starts_after_its_parent_call_ended_is_another_call():
    assert numbers(resolve([call(1, took=50), call(2, 1, at=500)])) == [1, 2]


def test_one_response_seen_by_two_scopes_counts_once_for_the_providers_own():
    sdk = call(1, scope="com.anthropic.sdk.python", took=100, told={"response_id": "r"})
    other = call(
        2, scope="instrumentation", took=50, told={"response_id": "r", "tokens": Tokens(10, output=6)}
    )
    found = only(sdk, other)
    assert (found.span, found.duplicates, found.tokens.output) == (sid(1), 1, 5)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"scope": "b", "at": 5000}, {}),  # a cached answer, replayed
        ({"scope": "a"}, {}),  # one scope does not report a call twice
        ({"scope": "b"}, {"model": "claude", "tokens": Tokens(7)}),  # ids are not unique everywhere
    ],
)
def test_one_response_id_alone_does_not_make_two_calls_one(fields, told):
    first = call(1, scope="a", told={"response_id": "r"})
    assert len(resolve([first, call(2, told={"response_id": "r"} | told, **fields)]).calls) == 2


def test_siblings_of_two_scopes_with_the_same_figures_count_once_each():
    spans = []
    for number in (1, 3):  # two at once, each seen twice
        spans.append(call(number, scope="langchain", at=10, took=100, told={"model": "gpt-4o"}))
        spans.append(
            call(number + 1, scope="openai", at=20, took=80 + number,
                 told={"response_id": f"r{number}", "model": "gpt-4o-2024-08-06"})
        )  # fmt: skip
    found = resolve(spans)
    assert numbers(found) == [2, 4]
    assert [one.duplicates for one in found.calls] == [1, 1]


@pytest.mark.parametrize(
    "changes",
    [
        {"at": 70},
        {"told": {"tokens": Tokens(11, output=5)}},
        {"told": {"model": "claude"}},
        {"scope": "langchain"},
    ],
)
def test_siblings_that_differ_are_two_calls(changes):
    inner = call(2, **({"scope": "openai", "at": 20, "took": 50} | changes))
    assert len(resolve([call(1, scope="langchain", at=10, took=100), inner]).calls) == 2


def test_the_tail_of_a_stream_completes_its_request():
    request = call(2, 1, scope="logfire.openai", took=30, told={"tokens": Tokens()})
    tail = call(
        3, 1, kind="tail", scope="logfire.openai", at=500, took=0, told={"estimated_cost": Decimal(2)}
    )
    found = only(step(1, took=900), tail, request)
    assert (found.span, found.tokens, found.estimated_cost) == (
        sid(2),
        Tokens(input=10, output=5),
        Decimal(2),
    )
    assert (found.ttft_us, found.duration_us) == (30 * MS, 498 * MS)


def test_attempts_are_numbered_below_a_wrapper_and_after_errors_worth_a_retry():
    spans = [
        step(1, kind="wrapper", took=900),
        failing(2, 1, took=10, error_class="our_request"),
        call(3, 1, at=100, told={"model": "fallback"}),
        step(4, took=900),
        failing(5, 4, took=10, error_class="timeout"),
        call(6, 4, at=50, told={"model": "another"}),
        failing(7, 4, at=200, took=10, error_class="timeout"),
        failing(8, 4, at=250, took=10, error_class="our_request"),
        call(9, 4, at=300),
    ]
    found = resolve(spans)
    assert {int(one.span or "", 16): one.attempt for one in found.calls} == {
        2: 1, 3: 2, 5: 1, 6: 1, 7: 2, 8: 3, 9: 1,
    }  # fmt: skip
    assert (found.rescued, found.outcome) == (True, False)


def test_context_is_the_nearest_then_the_traces_then_the_resources():
    root = step(
        1, name="support", context={"user": "u", "session": "s", "environment": "staging"}, tags={"a": "1"}
    )
    middle = step(2, 1, name="classify", context={"user": "nearer"}, tags={"a": "2", "b": "3"})
    resource = {"environment": "production", "release": "1.4"}
    orphan = call(4, 77, resource_context=resource)
    inner = call(3, 2, context={"session": "own"}, resource_context=resource)
    by_span = {int(one.span or "", 16): one for one in resolve([orphan, inner, middle, root]).calls}
    first, second = by_span[3], by_span[4]
    assert (first.user, first.session, first.environment, first.release) == (
        "nearer",
        "own",
        "staging",
        "1.4",
    )
    assert (first.flow, first.step, first.tags) == ("support", "classify", {"a": "2", "b": "3"})
    assert (second.user, second.session, second.environment) == ("u", "s", "staging")
    assert (second.flow, second.step) == ("support", None)


@pytest.mark.parametrize(
    ("root", "middle", "own", "flow"),
    [
        ({"context": {"flow": "far"}}, {"context": {"flow": "near"}}, {}, "near"),
        ({}, {"trace_context": {"flow": "of the trace"}}, {}, "of the trace"),
        ({"context": {"workflow": "outer"}}, {"context": {"workflow": "inner"}}, {}, "outer"),
        ({"name": "outermost"}, {"name": "inner"}, {}, "outermost"),
        ({"name": "POST /tickets", "kind": "http"}, {"name": "inner"}, {}, "inner"),
        ({"name": "LangGraph"}, {"name": "RunnableSequence"}, {"context": {"agent": "helper"}}, "helper"),
        ({"name": "ai.generateText", "kind": "wrapper"}, {"name": "t", "kind": "tool"}, {}, None),
    ],
)
def test_flow_of_a_call(root, middle, own, flow):
    assert only(step(1, **root), step(2, 1, **middle), call(3, 2, **own)).flow == flow


def test_context_of_what_was_absorbed_comes_before_that_of_ancestors():
    root = step(1, context={"user": "root", "session": "root", "feature": "root"})
    outer = call(2, 1, scope="a", context={"user": "outer", "session": "outer"}, tags={"t": "outer"})
    inner = call(3, 2, scope="b", took=50, context={"user": "inner"}, tags={"t": "inner"})
    found = only(root, outer, inner)
    assert (found.user, found.session, found.feature, found.tags) == (
        "inner",
        "outer",
        "root",
        {"t": "inner"},
    )
    beside = call(4, 1, scope="c", at=2, took=200, context={"user": "beside", "session": "beside"})
    found = only(root, beside, call(5, 1, scope="d", took=9, context={"user": "own"}))
    assert (found.user, found.session) == ("own", "beside")


def test_the_session_of_any_ancestor_wins_over_a_conversation():
    inner = call(2, 1, context={"conversation": "c"})
    assert only(step(1, context={"session": "s"}), inner).session == "s"
    assert only(step(1), inner).session == "c"


def test_a_prompts_name_and_version_come_from_one_span():
    spans = [step(1, context={"prompt": "p", "prompt_version": "1"}), call(2, 1, context={"prompt": "q"})]
    assert (only(*spans).prompt, only(*spans).prompt_version) == ("q", None)


def test_a_fuller_copy_of_a_span_completes_it_whichever_came_first():
    early = call(1, took=0, told={"tokens": Tokens(), "response_id": "r"})
    late = call(1, took=40, context={"user": "u"})
    assert resolve([early, late]) == resolve([late, early])
    found = only(early, late)
    assert (found.tokens.input, found.response_id, found.user, found.duplicates) == (10, "r", "u", 0)


def test_parents_in_a_circle_lose_no_call():
    spans = [call(1, 2, at=1), call(2, 1, at=1), call(3, 3, at=1)]
    assert resolve(spans) == resolve(spans[::-1])
    assert len(resolve(spans).calls) == 2  # of two calls around one another one is the wrapper


def test_an_outcome_that_was_sent_wins():
    spans = [step(1, context={"outcome": "true", "outcome_value": "12.50"}), failing(2, 1)]
    found = resolve(spans)
    assert (found.outcome, str(found.outcome_value)) == (True, "12.50")
    assert resolve(spans[1:]).outcome is False
    assert resolve([call(1)]).outcome is None


def test_steps_are_tools_retrievals_and_agents():
    spans = [
        step(1, kind="agent", name="invoke_agent helper"),
        step(2, 1, kind="tool", name="execute_tool find"),
    ]
    assert [(one.name, one.kind) for one in resolve(spans).steps] == [("helper", "agent"), ("find", "tool")]


def test_a_trace_is_complete_once_its_root_and_every_parent_is_here():
    spans = [step(1), step(2, 1), call(3, 2)]
    assert [resolve(spans[first:]).complete for first in range(3)] == [True, False, False]


def test_two_thousand_calls_in_a_chain_are_resolved():
    spans = [step(1, took=10_000)] + [step(n, n - 1, took=9_000) for n in range(2, 1000)]
    spans += [call(n, 999, scope=f"s{n % 2}", took=100) for n in range(1000, 2000)]
    random.Random(1).shuffle(spans)
    assert len(resolve(spans).calls) >= 500


KINDS = st.sampled_from(
    ("call", "call", "call", "step", "workflow", "wrapper", "http", "agent", "tool", "tail")
)
CONTEXTS = st.dictionaries(
    st.sampled_from(("flow", "workflow", "user", "session", "agent", "prompt", "environment", "outcome")),
    st.sampled_from(("a", "b", "true")),
    max_size=2,
)


@st.composite
def traces(draw):
    spans = []
    for number in range(1, draw(st.integers(2, 10))):
        parent = draw(st.none() | st.integers(1, 11))
        kind = draw(KINDS)
        fields = {
            "at": draw(st.integers(0, 20)), "took": draw(st.integers(0, 60)),
            "scope": draw(st.sampled_from(("a", "b", "logfire.openai"))), "context": draw(CONTEXTS),
        }  # fmt: skip
        if kind not in ("call", "tail"):
            spans.append(step(number, parent, kind=kind, **fields))
            continue
        told = {
            "response_id": draw(st.sampled_from((None, "r1", "r2"))),
            "tokens": draw(st.sampled_from((Tokens(), Tokens(10, output=5), Tokens(4, 6, output=5)))),
            "failed": draw(st.booleans()),
            "error_class": "rate_limit",
        }
        spans.append(call(number, parent, kind=kind, told=told, **fields))
        if draw(st.booleans()):
            spans.append(call(number, parent, kind=kind, told=told | {"tokens": Tokens(9)}, **fields))
    return spans


@settings(max_examples=300, deadline=None)
@given(traces(), st.randoms())
def test_any_order_and_repetition_gives_the_same_answer(spans, chance):
    expected = resolve(spans)
    shuffled = spans + [span for span in spans if chance.random() < 0.5]
    chance.shuffle(shuffled)
    assert resolve(shuffled) == expected
    ids = {one.span for one in expected.calls}
    assert len(ids) == len(expected.calls)
    assert not ids & expected.absorbed.keys()
    sent = {span.span for span in spans if span.kind == "call"}
    assert ids | set(expected.absorbed) == sent

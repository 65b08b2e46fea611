"""What each convention's span is read as: its kind, names, context, cost, errors, times, fingerprint."""

from decimal import Decimal

import pytest

from tests.ingest.otlp_bodies import (
    NOW_US,
    body_of,
    call_in,
    called,
    decoded,
    failed,
    record,
    span,
)

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}
IN = "gen_ai.usage.input_tokens"


KINDS = [
    ({"logfire.span_type": "log"}, "ignored"),
    ({"openinference.span.kind": "LLM"}, "call"),
    ({"openinference.span.kind": "EMBEDDING"}, "call"),
    ({"openinference.span.kind": "RERANKER"}, "step"),
    ({"openinference.span.kind": "RERANKER", "reranker.model_name": "rerank-3"}, "call"),
    ({"openinference.span.kind": "CHAIN", **CHAT}, "step"),
    ({"openinference.span.kind": "TOOL"}, "tool"),
    ({"langfuse.observation.type": "generation"}, "call"),
    ({"langfuse.observation.type": "retriever"}, "retrieval"),
    ({"langfuse.observation.type": "span", "gen_ai.usage.input_tokens": 5}, "step"),
    ({"ai.operationId": "ai.generateText.doGenerate"}, "call"),
    ({"ai.operationId": "ai.generateText", "ai.usage.inputTokens": 5}, "wrapper"),
    ({"ai.operationId": "ai.toolCall"}, "tool"),
    ({"mlflow.spanType": '"CHAT_MODEL"'}, "call"),
    ({"mlflow.spanType": '"CHAIN"'}, "step"),
    (CHAT, "call"),
    ({"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 5}, "agent"),
    ({"gen_ai.operation.name": "invoke_workflow"}, "workflow"),
    ({"gen_ai.operation.name": "execute_tool"}, "tool"),
    ({"gen_ai.operation.name": "novel", "gen_ai.request.model": "m", IN: 5}, "step"),
    ({"llm.request.type": "chat", "gen_ai.request.model": "m"}, "call"),
    ({"llm.request.type": "chat"}, "step"),
    ({"gen_ai.usage.input_tokens": 5, "gen_ai.request.model": "m"}, "step"),
    ({"http.request.method": "POST"}, "http"),
    ({"db.system": "qdrant"}, "retrieval"),
    ({"db.system": "postgresql"}, "step"),
    ({"traceloop.span.kind": "workflow"}, "workflow"),
]


@pytest.mark.parametrize(("attributes", "kind"), KINDS)
def test_kind_of_a_span(attributes, kind):
    assert record(attributes).kind == kind


def test_an_unknown_operation_of_a_client_span_with_usage_is_a_call():
    attributes = {"gen_ai.operation.name": "novel", "gen_ai.request.model": "m", IN: 5}
    assert record(attributes, kind=3).kind == "call"


def test_older_logfire_names_no_operation():
    attributes = {"gen_ai.request.model": "gpt-4o", "logfire.span_type": "span"}
    assert record(attributes, scope="logfire.openai").kind == "call"
    tail = attributes | {"logfire.span_type": "log"}
    name = "streaming response from 'gpt-4o' took 1.2s"
    assert record(tail, scope="logfire.openai", name=name).kind == "tail"


def test_a_placeholder_is_dropped():
    assert decoded(body_of(span(1, {"logfire.span_type": "pending_span"}))).spans == []


def test_litellms_raw_request_is_no_call():
    assert record({"llm.openai.model": "gpt-4o", "llm.openai.id": "x"}, scope="litellm").kind == "ignored"


def test_a_failed_openlit_call_takes_its_model_from_the_name():
    found = record({}, scope="openlit.instrumentation.openai", name="chat gpt-4o-mini")
    assert (found.kind, called(found).model, found.failed) == ("call", "gpt-4o-mini", True)


def test_names_that_say_nothing_name_no_workflow():
    attributes = {"traceloop.workflow.name": "RunnableSequence", "gen_ai.agent.name": "ai.generateText"}
    assert record(attributes).context == {}


def test_metadata_of_the_application_becomes_context_and_tags():
    found = record(
        {
            "metadata": '{"flow": "triage", "user_id": "u1", "tier": "gold", "ls_provider": "openai"}',
            "traceloop.association.properties.chat_id": "c9",
            "tag.tags": ["support", "region:eu"],
            "session.id": "[Scrubbed due to 'session']",
            "user.id": '"u-quoted"',
        }
    )
    assert found.context == {"user": "u-quoted", "session": "c9", "flow": "triage"}
    assert found.tags == {"tier": "gold", "support": "true", "region": "eu"}


def test_a_conversation_invented_by_the_framework_is_no_session():
    attributes = CHAT | {"gen_ai.conversation.id": "c1"}
    assert record(attributes).context == {"conversation": "c1"}
    assert record(attributes, scope="pydantic-ai").context == {}


def test_costs_charged_and_reckoned_are_told_apart():
    hand = {"langfuse.observation.type": "generation", "langfuse.observation.cost_details": '{"total": 0.5}'}
    assert call_in(hand).reported_cost == Decimal("0.5")
    nothing = hand | {"langfuse.observation.cost_details": '{"input": 0, "output": 0, "total": 0}'}
    assert call_in(nothing).reported_cost is None
    reckoned = call_in(CHAT | {"operation.cost": 3.855e-05})
    assert (reckoned.reported_cost, reckoned.estimated_cost) == (None, Decimal("0.00003855"))
    router = call_in(CHAT | {"gen_ai.provider.name": "openrouter", "gen_ai.usage.cost": 0.25})
    assert (router.reported_cost, router.estimated_cost) == (Decimal("0.25"), Decimal("0.25"))


def test_exception_event_gives_the_error_type():
    body = span(1, CHAT)
    event = body.events.add(name="exception", time_unix_nano=body.end_time_unix_nano)
    event.attributes.add(key="exception.type").value.string_value = "openai.APITimeoutError"
    found = decoded(body_of(failed(body, "timed out"))).spans[0]
    assert (called(found).error_type, called(found).error_class) == ("openai.APITimeoutError", "timeout")


def test_time_to_first_token_of_each_way_to_tell_it():
    start_us = NOW_US + 1000
    langfuse = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.completion_start_time": '"2026-11-25T09:46:40.006Z"',
    }
    assert call_in(CHAT | {"gen_ai.response.time_to_first_chunk": 0.004}).ttft_us == 4000
    assert call_in({"ai.operationId": "x.doStream", "ai.response.msToFirstChunk": 3.5}).ttft_us == 3500
    assert call_in(langfuse).ttft_us == 5000
    assert call_in(CHAT | {"gen_ai.server.time_to_first_token": 0.004}).ttft_us is None
    chunked = span(1, CHAT)
    chunked.events.add(name="gen_ai.content.completion.chunk", time_unix_nano=(start_us + 2000) * 1000)
    assert called(decoded(body_of(chunked)).spans[0]).ttft_us == 2000


def test_the_fingerprint_is_of_prompt_tools_and_sampling_alone():
    prints = [
        called(
            decoded(
                body_of(span(1, CHAT | attributes)), fingerprint=lambda source: source, keep_content=False
            ).spans[0]
        )
        for attributes in (
            {
                "gen_ai.input.messages": '[{"role": "system", "content": "Be short."}, {"role": "user"}]',
                "gen_ai.request.temperature": 0.5,
            },
            {
                "gen_ai.input.messages": '[{"role":"system","content":"Be short."},{"role":"user","content":"B"}]',
                "gen_ai.request.temperature": 0.5,
            },
            {"gen_ai.input.messages": '[{"role": "user", "content": "A"}]'},
        )
    ]
    expected = '{"sampling":{"temperature":0.5},"system":["Be short."],"tools":null}'
    assert [call.fingerprint for call in prints] == [expected, expected, None]
    assert all(call.input is None for call in prints)

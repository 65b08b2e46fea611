"""Clients that would be counted twice: spans as they write them, decoded and resolved."""

from analytics.resolve import resolve
from ingest.records import Tokens
from tests.ingest.otlp_bodies import failed, records, span


def test_ai_sdk_wrapper_with_a_retry_and_its_own_metadata():
    wrapper = {
        "ai.operationId": "ai.generateText",
        "ai.usage.inputTokens": 100,
        "ai.usage.outputTokens": 7,
        "ai.telemetry.functionId": "draft",
        "ai.telemetry.metadata.userId": "u1",
        "ai.telemetry.metadata.flow": "triage",
    }
    attempt = {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.model.id": "gpt-4o-mini",
        "ai.model.provider": "openai.chat",
        "gen_ai.system": "openai.chat",
    }
    answered = attempt | {
        "ai.usage.inputTokens": 100,
        "ai.usage.outputTokens": 7,
        "ai.usage.cachedInputTokens": 60,
        "ai.response.finishReason": "tool-calls",
        "gen_ai.usage.input_tokens": 100,
    }
    spans = records(
        failed(span(2, attempt, parent=1, took=10), "429 Too Many Requests"),
        span(3, answered, parent=1, at=50),
        span(1, wrapper, took=900, name="ai.generateText"),
        scope="ai",
    )
    first, second = resolve(spans).calls
    assert (first.failed, first.error_class, first.attempt) == (True, "rate_limit", 1)
    assert (second.attempt, second.finish_reason, second.provider) == (2, "tool_calls", "openai")
    assert second.tokens == Tokens(input=40, cache_read=60, output=7)
    assert {(call.flow, call.step, call.user) for call in (first, second)} == {("triage", "draft", "u1")}
    assert resolve(spans).rescued


def test_an_agent_framework_around_the_providers_own_instrumentation():
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper",
             "gen_ai.aggregated_usage.input_tokens": 50}  # fmt: skip
    chat = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 50,
            "gen_ai.usage.output_tokens": 5}  # fmt: skip
    outer = records(span(1, agent, took=500), span(2, chat, parent=1, took=400), scope="pydantic-ai")
    inner = records(span(3, chat | {"gen_ai.response.id": "r1"}, parent=2), scope="opentelemetry.openai")
    found = resolve([*inner, *outer])
    (call,) = found.calls
    assert (call.span, call.duplicates, call.flow, call.tokens) == (
        "0000000000000003", 1, "helper", Tokens(input=50, output=5),
    )  # fmt: skip


def test_a_logfire_stream_is_one_call_with_its_tails_usage():
    request = {"gen_ai.request.model": "gpt-4o", "gen_ai.system": "openai", "logfire.span_type": "span"}
    tail = request | {
        "logfire.span_type": "log",
        "gen_ai.usage.input_tokens": 1902,
        "gen_ai.usage.output_tokens": 64,
        "gen_ai.usage.raw": '{"prompt_tokens": 1902, "prompt_tokens_details": {"cached_tokens": 1024}}',
        "operation.cost": 0.004,
    }
    spans = records(
        span(1, took=900, name="triage"),
        span(2, {"logfire.span_type": "pending_span"}, parent=1),
        span(3, request, parent=1, took=40, name="Chat Completion with {request_data[model]!r}"),
        span(4, tail, parent=1, at=400, took=0, name="streaming response from {request_data[model]!r} took"),
        scope="logfire.openai",
    )
    (call,) = resolve(spans).calls
    assert call.tokens == Tokens(input=878, cache_read=1024, output=64)
    assert (call.ttft_us, call.duration_us, str(call.estimated_cost)) == (40_000, 397_000, "0.004")


def test_mlflow_quotes_every_value():
    chat = {
        "mlflow.spanType": '"CHAT_MODEL"',
        "mlflow.llm.model": '"gpt-4o"',
        "mlflow.chat.tokenUsage": '{"input_tokens": 100, "output_tokens": 9, "total_tokens": 109,'
        ' "cache_read_input_tokens": 60}',
    }
    chain = {"mlflow.spanType": '"CHAIN"', "mlflow.trace.user": '"u1"'}
    spans = records(span(1, chain, name="triage"), span(2, chat, parent=1), scope="mlflow.tracing.provider")
    (call,) = resolve(spans).calls
    assert (call.model, call.provider, call.user, call.flow) == ("gpt-4o", "openai", "u1", "triage")
    assert call.tokens == Tokens(input=40, cache_read=60, output=9)


def test_openlits_roll_up_repeats_the_last_call_and_is_none():
    usage = {"gen_ai.usage.input_tokens": 20, "gen_ai.usage.output_tokens": 2}
    chat = usage | {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    spans = records(
        span(
            1,
            usage | {"gen_ai.operation.name": "invoke_workflow"},
            name="invoke_workflow LangGraph",
            took=900,
        ),
        span(2, chat, parent=1),
        span(3, chat, parent=1, at=300),
        failed(span(4, {}, parent=1, at=600, name="chat gpt-4o")),
        scope="openlit.instrumentation.langgraph",
    )
    found = resolve(spans)
    assert [(call.failed, call.model, call.flow) for call in found.calls] == [
        (False, "gpt-4o", None), (False, "gpt-4o", None), (True, "gpt-4o", None),
    ]  # fmt: skip

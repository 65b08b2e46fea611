import pytest

from ingest.records import ERROR_CLASSES, FINISH_REASONS
from ingest.wire.errors import error_class_of
from ingest.wire.finish import finish_reason_of


@pytest.mark.parametrize(
    ("error_type", "status", "expected"),
    [
        ("openai.RateLimitError", None, "rate_limit"),
        ("RateLimitError", None, "rate_limit"),
        ("429", None, "rate_limit"),
        ("insufficient_quota", 429, "rate_limit"),
        ("APIError", 503, "overloaded"),
        ("overloaded_error", 529, "overloaded"),
        ("anthropic.InternalServerError", None, "provider_fault"),
        ("InternalServerError", 500, "provider_fault"),
        ("server_error", None, "provider_fault"),
        ("httpx.ReadTimeout", None, "timeout"),
        ("timeout", None, "timeout"),
        (None, 504, "timeout"),
        ("BadRequestError", 400, "our_request"),
        ("content_policy_violation", 400, "content_filter"),
        ("litellm.exceptions.ContentPolicyViolationError", None, "content_filter"),
        ("openai.AuthenticationError", None, "authentication"),
        (None, 403, "authentication"),
        ("asyncio.exceptions.CancelledError", None, "cancelled"),
        ("AbortError", None, "cancelled"),
        ("Error code: 429 - slow down", None, "rate_limit"),
        ("the request timed out", None, "timeout"),
        ("SomethingNobodyKnows", None, "other"),
        (None, None, "other"),
        ("", 200, "other"),
    ],
)
def test_error_class_follows_type_then_status_then_words(error_type, status, expected):
    assert error_class_of(error_type, status) == expected
    assert expected in ERROR_CLASSES


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("stop", "stop"),
        ("end_turn", "stop"),
        ('["stop"]', "stop"),
        ("FinishReason.STOP", "stop"),
        ("tool-calls", "tool_calls"),
        ("tool_use", "tool_calls"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("failed", "error"),
        ("something new", "other"),
        ("", ""),
        (None, ""),
        ("null", ""),
    ],
)
def test_finish_reason_is_one_of_the_products_words(raw, expected):
    assert finish_reason_of(raw) == expected
    assert expected in FINISH_REASONS

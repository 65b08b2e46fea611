"""LiteLLM's `otel` callback, beside OpenTelemetry's names."""

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "litellm_model": ("litellm.provider.model",),
    "litellm_call_id": ("litellm.call_id",),
    "usage_repr": ("metadata.usage_object",),
    "app_json": ("metadata.requester_metadata",),
}
PREFIXES: dict[str, str] = {}

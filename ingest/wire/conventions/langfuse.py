"""Langfuse SDKs (v3 to v5), which send OTLP with attributes of their own."""

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "langfuse_kind": ("langfuse.observation.type",),
    "trace_flow": ("langfuse.trace.name",),
    "user": ("langfuse.user.id", "langfuse.trace.user.id"),
    "session": ("langfuse.session.id", "langfuse.trace.session.id"),
    "tag_list": ("langfuse.trace.tags",),
    "environment": ("langfuse.environment",),
    "release": ("langfuse.release", "langfuse.version"),
    "model": ("langfuse.observation.model.name",),
    "parameters": ("langfuse.observation.model.parameters",),
    "usage_json": ("langfuse.observation.usage_details",),
    "cost_json": ("langfuse.observation.cost_details",),
    "first_token_at": ("langfuse.observation.completion_start_time",),
    "prompt": ("langfuse.observation.prompt.name", "langfuse.prompt.name"),
    "prompt_version": ("langfuse.observation.prompt.version", "langfuse.prompt.version"),
    "level": ("langfuse.observation.level",),
    "error_message": ("langfuse.observation.status_message",),
    "finish_reason": ("langfuse.observation.metadata.finish_reason",),
    "input": ("langfuse.observation.input",),
    "output": ("langfuse.observation.output",),
}
PREFIXES: dict[str, str] = {
    "langfuse.trace.metadata.": "trace_app",
    "langfuse.observation.metadata.": "app",
}

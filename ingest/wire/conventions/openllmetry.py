"""OpenLLMetry (Traceloop), beside OpenTelemetry's names; old releases spell prompts out by attributes."""

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "request_type": ("llm.request.type",),
    "traceloop_kind": ("traceloop.span.kind",),
    "workflow": ("traceloop.workflow.name",),
    "step": ("traceloop.entity.name",),
    "prompt": ("traceloop.prompt.key",),
    "prompt_version": ("traceloop.prompt.version", "traceloop.prompt.version_name"),
}
PREFIXES: dict[str, str] = {
    "traceloop.association.properties.": "app",
    "gen_ai.prompt.": "prompt_parts",
    "gen_ai.completion.": "completion_parts",
    "llm.request.functions.": "tool_parts",
}

"""OpenInference (Phoenix, Arize)."""

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "openinference_kind": ("openinference.span.kind",),
    "provider": ("llm.provider", "llm.system"),
    "model": ("llm.request.model_name",),
    "response_model": ("llm.response.model_name", "llm.model_name", "embedding.model_name"),
    "parameters": ("llm.invocation_parameters", "embedding.invocation_parameters"),
    "input_tokens": ("llm.token_count.prompt",),
    "output_tokens": ("llm.token_count.completion",),
    "cache_read": (
        "llm.token_count.prompt_details.cache_read",
        "llm.token_count.prompt_details.cache_input",
    ),
    "cache_write": ("llm.token_count.prompt_details.cache_write",),
    "audio_input": ("llm.token_count.prompt_details.audio",),
    "reasoning": ("llm.token_count.completion_details.reasoning",),
    "audio_output": ("llm.token_count.completion_details.audio",),
    "estimated_cost": ("llm.cost.total",),
    "app_json": ("metadata",),
    "tag_list": ("tag.tags",),
    "agent": ("agent.name",),
    "step": ("graph.node.name",),
    "tool": ("tool.name",),
    "prompt": ("prompt.id",),
    "prompt_version": ("llm.prompt_template.version",),
    "finish_reason": ("llm.finish_reason",),
    "input": ("input.value",),
    "output": ("output.value",),
    "reranker_model": ("reranker.model_name",),
}
PREFIXES: dict[str, str] = {
    "llm.tools.": "tool_parts",
    "evaluations.": "evaluations",
    "trace.evaluations.": "trace_evaluations",
}

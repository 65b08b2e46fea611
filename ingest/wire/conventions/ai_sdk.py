"""Vercel AI SDK up to 6 (`ai.*`); 7 speaks OpenTelemetry GenAI."""

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "ai_operation": ("ai.operationId",),
    "provider": ("ai.model.provider",),
    "model": ("ai.model.id",),
    "response_model": ("ai.response.model",),
    "response_id": ("ai.response.id",),
    "input_tokens": ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
    "output_tokens": ("ai.usage.outputTokens", "ai.usage.completionTokens"),
    "cache_read": ("ai.usage.inputTokenDetails.cacheReadTokens", "ai.usage.cachedInputTokens"),
    "cache_write": ("ai.usage.inputTokenDetails.cacheWriteTokens",),
    "reasoning": ("ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens"),
    "metadata_usage": ("ai.response.providerMetadata",),
    "ttft_ms": ("ai.response.msToFirstChunk", "ai.stream.msToFirstChunk"),
    "agent": ("ai.telemetry.functionId",),
    "finish_reason": ("ai.response.finishReason",),
    "tool": ("ai.toolCall.name",),
    "input": ("ai.prompt.messages", "ai.prompt"),
    "output": ("ai.response.text", "ai.response.object", "ai.response.toolCalls"),
    "tools": ("ai.prompt.tools",),
}
PREFIXES: dict[str, str] = {
    "ai.telemetry.metadata.": "app",
    "ai.settings.context.": "app",
}

"""Logfire, OpenLIT, MLflow, Sentry, and the plain names that applications give of their own accord."""

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "logfire_kind": ("logfire.span_type",),
    "logfire_level": ("logfire.level_num",),
    "raw_usage_json": ("gen_ai.usage.raw", "mlflow.chat.tokenUsage"),
    "duration_s": ("duration",),
    "tag_list": ("logfire.tags",),
    "mlflow_kind": ("mlflow.spanType",),
    "model": ("mlflow.llm.model",),
    "user": ("mlflow.trace.user", "user_id"),
    "session": ("mlflow.trace.session", "session_id"),
    "flow": ("app.flow", "flow"),
    "input": ("mlflow.spanInputs",),
    "output": ("mlflow.spanOutputs",),
}
PREFIXES: dict[str, str] = {}

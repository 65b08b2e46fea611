"""The product's own attributes: explicit, so they win over every convention."""

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "flow": ("flowledger.flow",),
    "feature": ("flowledger.feature",),
    "customer": ("flowledger.customer", "customer.id"),
    "user": ("flowledger.user",),
    "session": ("flowledger.session",),
    "environment": ("flowledger.environment",),
    "prompt": ("flowledger.prompt.name",),
    "prompt_version": ("flowledger.prompt.version",),
    "retrieval": ("flowledger.retrieval",),
    "release": ("flowledger.release",),
    "outcome": ("flowledger.outcome",),
    "outcome_value": ("flowledger.outcome.value",),
    "step": ("flowledger.step",),
    "reservation": ("flowledger.reservation",),
    "reported_cost": ("flowledger.cost",),
}
PREFIXES: dict[str, str] = {"flowledger.tag.": "tag_map", "flowledger.score.": "evaluation"}

"""The models of this app, as Django looks for them; each part has a module of its own."""

from guardrails.alert_models import Alert, AlertEvent, Channel, Delivery, DigestReader, Evaluation, Rule

__all__ = ["Alert", "AlertEvent", "Channel", "Delivery", "DigestReader", "Evaluation", "Rule"]

"""The models of this app, as Django looks for them; each part has a module of its own."""

from guardrails.alert_models import Alert as Alert
from guardrails.alert_models import AlertEvent as AlertEvent
from guardrails.alert_models import Channel as Channel
from guardrails.alert_models import Delivery as Delivery
from guardrails.alert_models import DigestReader as DigestReader
from guardrails.alert_models import Evaluation as Evaluation
from guardrails.alert_models import Rule as Rule

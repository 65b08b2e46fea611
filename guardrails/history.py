"""An alert's history: every change of its state, and what people did to it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from guardrails.alert_models import FIRED, Alert, AlertEvent

QUIETLY = "no message"  # said of a change that channels do not hear of


def record(changes: Iterable[tuple[Alert, str, str]], *, now: datetime, by: str = "") -> list[AlertEvent]:
    """Write history: (alert, kind of event, what is said). Events are numbered within their alert."""
    listed = list(changes)
    counts = _numbers([alert for alert, _, _ in listed])
    events = []
    for alert, kind, said in listed:
        counts[alert.pk] = counts.get(alert.pk, 0) + 1
        events.append(AlertEvent(alert=alert, number=counts[alert.pk], kind=kind, at=_when(alert, kind, now),
                                 value=alert.value, by=by, said=said))  # fmt: skip
    return AlertEvent.objects.bulk_create(events, batch_size=1000)


def _when(alert: Alert, kind: str, now: datetime) -> datetime:
    """A change of state is as of the watermark; what people do, and reminders, as of now."""
    return alert.evaluated_until if kind in ("pending", *FIRED, "resolved") else now


def _numbers(alerts: Sequence[Alert]) -> dict[int, int]:
    rows = AlertEvent.objects.filter(alert__in=[alert.pk for alert in alerts]).order_by("number")
    return dict(rows.values_list("alert_id", "number"))

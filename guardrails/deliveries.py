"""The outbox at work: what is due is claimed with a lease, sent, and marked; what fails is tried again for a day.

At least once: a process that dies between the receiver's answer and the mark sends once more when the lease is over,
with the same delivery id. Nothing else can send a message twice: a row is made once for a change and a channel.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from guardrails import channels, messages
from guardrails.alert_models import UNFINISHED, Delivery
from guardrails.channels import KINDS, Sending
from guardrails.sealed import CannotOpenError
from guardrails.webhook import Answered

log = structlog.get_logger()
LEASE = timedelta(seconds=90)  # longer than any try takes
GIVEN_UP_AFTER = timedelta(days=1)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
AT_ONCE, OF_A_CHANNEL = 8, 4
MOST_ROUNDS = 50
KEPT_TRIES = 30
KEPT_FOR = timedelta(days=90)

# Of one alert in their order ("resolved" waits for "firing"), and of one channel a few at a time, so that a slow one
# leaves room for the others. SKIP LOCKED and the lease keep two workers apart.
_CLAIM = """
    UPDATE guardrails_delivery SET state = 'sending', tries = tries + 1, lease_until = %(lease)s
    WHERE id IN (
        SELECT d.id FROM guardrails_delivery d JOIN (
            SELECT id, row_number() OVER (PARTITION BY channel_id ORDER BY next_try_at, created_at) AS place
            FROM guardrails_delivery WHERE state IN ('waiting', 'sending') AND next_try_at <= %(now)s
                AND (lease_until IS NULL OR lease_until <= %(now)s)) due ON due.id = d.id
        WHERE due.place <= %(each)s AND d.state IN ('waiting', 'sending')
            AND (d.lease_until IS NULL OR d.lease_until <= %(now)s)
            AND NOT EXISTS (
                SELECT FROM guardrails_delivery before
                JOIN guardrails_alertevent theirs ON theirs.id = before.event_id
                JOIN guardrails_alertevent mine ON mine.id = d.event_id
                WHERE before.channel_id = d.channel_id AND theirs.alert_id = mine.alert_id
                    AND theirs.number < mine.number AND before.state IN ('waiting', 'sending'))
        ORDER BY d.next_try_at, d.created_at LIMIT %(most)s FOR UPDATE OF d SKIP LOCKED)
    RETURNING id
"""


def deliver(*, now: datetime, most_rounds: int = MOST_ROUNDS) -> int:
    """Send what is due; how many messages were taken by their receivers. May run anywhere, many times at once."""
    taken, started = 0, time.monotonic()
    for _ in range(most_rounds):
        spent = timedelta(seconds=time.monotonic() - started)  # a lease begins when its round does
        claimed = claim(now=now, lease=now + spent + LEASE)
        if not claimed:
            break
        taken += sum(answer.ok for answer in _sent(claimed, now))
    return taken


def claim(*, now: datetime, lease: datetime | None = None, most: int = AT_ONCE) -> list[Delivery]:
    """Take some of what is due, for as long as the lease."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _CLAIM, {"now": now, "lease": lease or now + LEASE, "most": most, "each": OF_A_CHANNEL}
        )
        ids = [row[0] for row in cursor.fetchall()]
    found = Delivery.objects.filter(pk__in=ids).select_related(
        "channel", "project", "user", "event", "event__alert", "event__alert__rule"
    )
    return list(found.order_by("created_at", "pk"))


def _sent(claimed: Sequence[Delivery], now: datetime) -> list[Answered]:
    """Bodies first (they ask the database), then all messages at once, then the marks."""
    ready = [_prepared(delivery, now) for delivery in claimed]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        answers = list(pool.map(_send, ready))
    for delivery, answer in zip(claimed, answers, strict=True):
        _mark(delivery, answer, now)
    return answers


def _prepared(delivery: Delivery, now: datetime) -> Sending | Answered:
    """What is sent, frozen at the first try; or the answer, where it cannot be made."""
    try:
        if delivery.body is None and delivery.event is not None:
            delivery.body = messages.message(delivery.event, project=delivery.project, now=now)
            Delivery.objects.filter(pk=delivery.pk).update(body=delivery.body)
        return channels.sending(delivery, now=now)
    except CannotOpenError as problem:
        return Answered(False, None, str(problem))
    except Exception as problem:  # one message never costs the others that were claimed with it
        log.exception("message not made", delivery=str(delivery.pk))
        return Answered(False, None, f"The message could not be made: {type(problem).__name__}.")


def _send(prepared: Sending | Answered) -> Answered:
    """In a thread of its own: nothing here asks the database."""
    if isinstance(prepared, Answered):
        return prepared
    try:
        return KINDS[prepared.kind].send(prepared)
    except Exception as problem:  # as above, whatever a kind of channel raises
        log.exception("message not sent", kind=prepared.kind)
        return Answered(False, None, f"The message could not be sent: {type(problem).__name__}.")


def _mark(delivery: Delivery, answer: Answered, now: datetime) -> None:
    """The answer onto the row: done, to be tried again, or given up. Another worker's newer claim is left alone."""
    over = now >= delivery.created_at + GIVEN_UP_AFTER
    state = "done" if answer.ok else "failed" if over or delivery.purpose == "test" else "waiting"
    entry = {"at": now.isoformat(), "status": answer.status, "answer": answer.answer}
    rows = Delivery.objects.filter(pk=delivery.pk, state="sending", tries=delivery.tries)
    rows.update(
        state=state,
        lease_until=None,
        next_try_at=now + pause(delivery.tries),
        finished_at=None if state in UNFINISHED else now,
        log=[*delivery.log, entry][-KEPT_TRIES:],
    )
    if not answer.ok:
        log.warning(
            "message not taken", delivery=str(delivery.pk), status=answer.status, answer=answer.answer[:200]
        )


def pause(tries: int) -> timedelta:
    """How long to wait after so many tries: half a minute, twice as long each time, an hour at most."""
    doubled: int = 2 ** min(tries - 1, 10)
    return min(LONGEST_PAUSE, FIRST_PAUSE * doubled)


def forget(*, now: datetime) -> None:
    """Finished deliveries are kept 90 days."""
    Delivery.objects.filter(finished_at__lt=now - KEPT_FOR).delete()


def try_now(delivery: Delivery, *, now: datetime) -> Answered:
    """Send one delivery at once, as the test button does; False answers are not tried again."""
    with transaction.atomic():
        rows = Delivery.objects.filter(pk=delivery.pk, state="waiting")
        rows.update(state="sending", tries=1, lease_until=now + LEASE)
    delivery.tries = 1
    answer = _send(_prepared(delivery, now))
    _mark(delivery, answer, now)
    return answer

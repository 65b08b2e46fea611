"""Channels: where messages go, by kind. Adding a kind is a row in KINDS."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from accounts.models import Project
from guardrails import apprising, bodies, mailing, webhook
from guardrails.alert_models import Channel, Delivery
from guardrails.bodies import wrong
from guardrails.sealed import seal, unseal
from guardrails.webhook import Answered

FIELDS = ("name", "kind", "url", "secret", "digest")
URL, SECRET = "channel url", "channel secret"
MOST_CHANNELS = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of channel. `check` raises ApiError for an address that cannot be one and gives what may be shown of
    it; `send` gives what came back, and never raises."""

    label: str
    check: Callable[[str], str]
    send: Callable[["Sending"], Answered]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One message on its way: `body` the JSON of the contract, `subject` and `text` for people."""

    kind: str
    url: str
    secret: str
    delivery: str
    to: tuple[str, ...]  # of a mail
    body: bytes
    subject: str
    text: str
    now: datetime


def _check_webhook(url: str) -> str:
    try:
        parts = webhook.checked_url(url)
    except webhook.RefusedError as problem:
        raise wrong("url", str(problem), "Write https://host/path.") from problem
    path = parts.path if len(parts.path) <= 40 else parts.path[:37] + "…"
    return f"{parts.scheme}://{parts.netloc}{path}{'?…' if parts.query else ''}"


def _check_email(url: str) -> str:
    names = mailing.addresses(url)
    for name in names:
        if name not in mailing.GROUPS and ("@" not in parseaddr(name)[1] or " " in name):
            raise wrong("url", f"{name[:60]!r} is no e-mail address.",
                        f"List addresses with commas, or write {' or '.join(mailing.GROUPS)}.")  # fmt: skip
    if not names:
        raise wrong("url", "There is no address.", "List addresses with commas, or write members.")
    return ", ".join(names)[:300]


def _check_apprise(url: str) -> str:
    problem = apprising.problem_of(url)
    if problem:
        raise wrong("url", problem, "See docs/alerts.md for the addresses that apprise knows.")
    return f"{urlsplit(url).scheme}://…"


def _send_webhook(sending: Sending) -> Answered:
    return webhook.post(
        sending.url, sending.body, secret=sending.secret, delivery=sending.delivery, now=sending.now
    )


KINDS: dict[str, Kind] = {
    "webhook": Kind("Webhook", _check_webhook, _send_webhook),
    "apprise": Kind("Apprise", _check_apprise, lambda it: apprising.send(it.url, it.subject, it.text)),
    "email": Kind("E-mail", _check_email, lambda it: mailing.send(it.to, it.subject, it.text, delivery=it.delivery)),
}  # fmt: skip


def read(
    given: Mapping[str, Any], *, project: Project, now: datetime, known: Channel | None = None
) -> Channel:
    """An unsaved channel (or `known`, changed) from JSON. Raises ApiError 400 that names field and remedy.

    Address and secret of a known one stay where the body leaves them out: nobody can read them to send them again."""
    bodies.only(given, FIELDS)
    channel = known or Channel(project=project, created_at=now)
    channel.name = _name(given)
    kind = bodies.text(given, "kind", most=10, default=channel.kind or None)
    if kind not in KINDS:
        raise wrong("kind", f"There is no kind of channel {kind!r}.", f"Use one of {', '.join(KINDS)}.")
    if given.get("url") or known is None or kind != channel.kind:
        url = bodies.text(given, "url", most=2000)
        channel.shown = KINDS[kind].check(url)
        channel.url = seal(url, purpose=URL)
    if given.get("secret") is not None:
        secret = bodies.text(given, "secret", most=500, default="")
        channel.secret = seal(secret, purpose=SECRET) if secret else None
    channel.kind, channel.digest, channel.updated_at = kind, bodies.flag(given, "digest"), now
    return channel


def _name(given: Mapping[str, Any]) -> str:
    name = bodies.text(given, "name", most=60)
    if "/" in name or name in (".", ".."):
        raise wrong("name", "A channel's name is part of an address.", "Leave out slashes.")
    return name


def body_of(channel: Channel) -> dict[str, Any]:
    """A channel as the API gives it: the secret never, the address without what is secret in it."""
    return {
        "name": channel.name, "kind": channel.kind, "url": channel.shown, "has_secret": channel.secret is not None,
        "digest": channel.digest,
    }  # fmt: skip


def sending(delivery: Delivery, *, now: datetime) -> Sending:
    """What a delivery sends, to its channel or member. Raises CannotOpenError when SECRET_KEY has changed."""
    made, channel = delivery.body or {}, delivery.channel
    url = unseal(bytes(channel.url), purpose=URL) if channel else ""
    kind = channel.kind if channel else "email"
    to = mailing.people(url, project=delivery.project_id) if kind == "email" else []
    return Sending(
        kind=kind, url=url, secret=unseal(bytes(channel.secret), purpose=SECRET) if channel and channel.secret else "",
        delivery=str(delivery.pk), to=tuple([delivery.user.email] if delivery.user else to),
        body=made["json"].encode(), subject=made["subject"], text=made["text"], now=now,
    )  # fmt: skip


def mail_is_configured() -> bool:
    """Whether e-mail can be sent at all."""
    return bool(settings.EMAIL_URL)

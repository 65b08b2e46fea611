"""E-mail to members and others, through Django's mail."""

import smtplib
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage

from accounts.models import Member
from guardrails.webhook import Answered

GROUPS = ("members", "owners")
NOT_CONFIGURED = "E-mail is not configured: set EMAIL_URL."


def addresses(url: str) -> list[str]:
    """What an e-mail channel lists: addresses, or `members` and `owners`."""
    text = url.removeprefix("mailto:")
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def people(url: str, *, project: int) -> list[str]:
    """The addresses behind a channel's list, each once."""
    return list(dict.fromkeys(address for name in addresses(url) for address in _of(name, project)))


def send(to: Sequence[str], subject: str, text: str, *, delivery: str) -> Answered:
    """One message to all of them. The Message-ID is the delivery's, so that a repeat can be told from news."""
    if not settings.EMAIL_URL:
        return Answered(False, None, NOT_CONFIGURED)
    if not to:
        return Answered(False, None, "There is nobody to send it to.")
    message = EmailMessage(
        subject=" ".join(subject.split()), body=text, to=list(to),
        headers={"Message-ID": f"<{delivery}@flowledger>", "X-Flowledger-Delivery": delivery},
    )  # fmt: skip
    try:
        message.send()
    except (smtplib.SMTPException, OSError) as problem:
        return Answered(False, None, f"{type(problem).__name__}: {problem}"[:300])
    return Answered(True, None, f"Taken by {settings.EMAIL_HOST} for {len(message.to)}.")


def _of(name: str, project: int) -> list[str]:
    if name not in GROUPS:
        return [name]
    members = Member.objects.filter(project=project, user__is_active=True)
    members = members.filter(role="owner") if name == "owners" else members
    return list(members.order_by("pk").values_list("user__email", flat=True))

"""E-mail, Slack, Teams, PagerDuty and the other hundred, through apprise. It is imported where it is used: 34 MB."""

import ipaddress
import logging
import socket
from typing import Any
from urllib.parse import urlsplit

from guardrails.webhook import MOST_ANSWER, Answered, is_allowed

SECONDS = 5.0
# What would act on this machine itself, or post anywhere without a signature: the webhook is for that.
NOT_HERE = frozenset((
    "dbus", "qt", "kde", "glib", "gnome", "macosx", "windows", "syslog", "json", "jsons", "xml", "xmls", "form",
    "forms", "apprise", "apprises",
))  # fmt: skip


def problem_of(url: str) -> str:
    """Why apprise could not send to this address, "" when it could."""
    schema = urlsplit(url).scheme.lower()
    if schema in NOT_HERE:
        return f"{schema}:// is not used here; a channel of kind webhook posts signed JSON."
    return "" if _made(url) is not None else "Apprise does not know this address."


def send(url: str, subject: str, text: str) -> Answered:
    """Send one message. Never raises."""
    problem = problem_of(url)
    target = None if problem else _made(url)
    if target is None:
        return Answered(False, None, problem)
    hidden = _hidden_host(target)
    if hidden:
        return Answered(False, None, f"{hidden} is not public. FLOWLEDGER_WEBHOOK_ALLOW can allow it.")
    import apprise  # noqa: PLC0415 - heavy

    capture: Any = apprise.LogCapture
    with capture(level=logging.INFO) as log:
        try:
            sent = bool(target.notify(title=subject, body=text))
        except (OSError, TypeError, ValueError) as problem_seen:
            return Answered(False, None, f"{type(problem_seen).__name__}: {problem_seen}"[:300])
        said = log.getvalue().strip()[-MOST_ANSWER:]
    return Answered(sent, None, said)


def _made(url: str) -> Any:
    """Apprise's own object for the address, with short time-outs; None when it knows no such address."""
    import apprise  # noqa: PLC0415 - heavy

    made = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if made is not None:
        made.socket_connect_timeout = made.socket_read_timeout = SECONDS
    return made


def _hidden_host(target: Any) -> str:
    """The host of a self-hosted service whose addresses may not be reached; "" when it may, or is no host."""

    host = getattr(target, "smtp_host", None) or getattr(target, "host", None)
    if not host:
        return ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return ""  # a token in the place of a host; or it fails by itself
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    return "" if all(is_allowed(address) for address in addresses) else str(host)

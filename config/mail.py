"""EMAIL_URL read into Django's settings. Pure."""

from urllib.parse import parse_qs, unquote, urlsplit

# scheme: (STARTTLS, TLS from the start, usual port)
SCHEMES = {
    "smtp": (False, False, 25),
    "smtp+tls": (True, False, 587),
    "submission": (True, False, 587),
    "smtps": (False, True, 465),
}


def mail_settings(name: str, url: str) -> dict[str, object]:
    """Django's EMAIL_* for `smtp://user:password@host:port?from=address`, also smtp+tls and smtps.

    Port 587 means STARTTLS. Raises ValueError for anything else."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError(f"{name} names no mail server")
    starttls, tls, usual = SCHEMES[parts.scheme]
    port = parts.port or usual
    sender = parse_qs(parts.query).get("from", [f"flowledger@{parts.hostname}"])[0]
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": starttls or (port == 587 and not tls),
        "EMAIL_USE_SSL": tls,
        "EMAIL_TIMEOUT": 10,
        "DEFAULT_FROM_EMAIL": sender,
    }

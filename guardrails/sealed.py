"""Secrets at rest: addresses and secrets of channels, sealed with a key made from SECRET_KEY.

Encrypt, then authenticate, with HMAC-SHA256 alone, which the standard library has: the key stream is HMAC in counter
mode (NIST SP 800-108), the tag HMAC over nonce and text. Whoever changes SECRET_KEY has to type channels in again.
"""

import hashlib
import hmac
import secrets

from django.conf import settings

NONCE, TAG, BLOCK = 16, 32, 32


class CannotOpenError(ValueError):
    """It was sealed with another SECRET_KEY, or changed."""


def seal(text: str, *, purpose: str) -> bytes:
    """The text, sealed; the same text is never the same twice. `purpose` keeps one kind of secret from another."""
    encrypting, signing = _keys(purpose)
    nonce = secrets.token_bytes(NONCE)
    body = nonce + _mixed(text.encode(), encrypting, nonce)
    return body + hmac.digest(signing, body, hashlib.sha256)


def unseal(sealed: bytes, *, purpose: str) -> str:
    """The text. Raises CannotOpenError."""
    encrypting, signing = _keys(purpose)
    sealed = bytes(sealed)
    body, tag = sealed[:-TAG], sealed[-TAG:]
    if len(sealed) < NONCE + TAG or not hmac.compare_digest(tag, hmac.digest(signing, body, hashlib.sha256)):
        raise CannotOpenError("This was sealed with another SECRET_KEY. Type it in again.")
    return _mixed(body[NONCE:], encrypting, body[:NONCE]).decode()


def _keys(purpose: str) -> tuple[bytes, bytes]:
    secret = settings.SECRET_KEY.encode()
    encrypting, signing = (
        hmac.digest(secret, f"flowledger:{use}:{purpose}".encode(), hashlib.sha256)
        for use in ("seal", "sign")
    )
    return encrypting, signing


def _mixed(data: bytes, key: bytes, nonce: bytes) -> bytes:
    blocks = range((len(data) + BLOCK - 1) // BLOCK)
    stream = b"".join(
        hmac.digest(key, nonce + number.to_bytes(8, "big"), hashlib.sha256) for number in blocks
    )
    return bytes(left ^ right for left, right in zip(data, stream, strict=False))

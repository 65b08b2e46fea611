"""Our own webhook: a signed POST to an address that was looked up once and is public, no redirects, and never long.

The name is resolved here and the connection made to that very address, so that a name which answers differently the
second time leads nowhere else. TLS still checks the certificate against the name.
"""

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
MOST_ANSWER = 1024
PORTS = {"http": 80, "https": 443}
USER_AGENT = "Flowledger-Webhook/1"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class RefusedError(ValueError):
    """An address that is not posted to, and why."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back: HTTP status (None = none), the beginning of the body or what went wrong."""

    ok: bool
    status: int | None
    answer: str


LABEL = 63  # letters of one part of a host's name


def checked_url(url: str) -> SplitResult:
    """The parts of a webhook's address. Raises RefusedError for what cannot be one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise RefusedError("This is no address.") from problem
    if not url.isascii() or any(letter <= " " for letter in url):
        raise RefusedError(
            "An address has no spaces and only ASCII: write other letters as %xx, a name as xn--…."
        )
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise RefusedError("A webhook's address begins with https:// or http://, and names a host.")
    if not all(0 < len(label) <= LABEL for label in parts.hostname.removesuffix(".").split(".")):
        raise RefusedError("The host's name has an empty part, or one of over 63 letters.")
    if parts.username or parts.password:
        raise RefusedError("The address holds a password. Use the secret: every message is signed with it.")
    return parts


def signature(secret: str, body: bytes, *, now: datetime) -> str:
    """The header's value: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`."""
    stamp = int(now.timestamp())
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def post(url: str, body: bytes, *, secret: str, delivery: str, now: datetime) -> Answered:
    """POST the body; 2xx is taken. Never raises: what went wrong is the answer."""
    headers = {
        "Content-Type": "application/json", "User-Agent": USER_AGENT, "X-Flowledger-Delivery": delivery,
        "Connection": "close",
    }  # fmt: skip
    if secret:
        headers["X-Flowledger-Signature"] = signature(secret, body, now=now)
    try:
        parts = checked_url(url)
        return _exchange(parts, allowed_address(parts), body, headers)
    except RefusedError as problem:
        return Answered(False, None, str(problem))
    except (
        OSError,
        ValueError,
        http.client.HTTPException,
    ) as problem:  # ValueError: a name that IDNA refuses
        return Answered(False, None, _said(problem))


def allowed_address(parts: SplitResult) -> Address:
    """The first of the name's addresses that may be connected to. Raises RefusedError, OSError."""
    host = parts.hostname or ""
    found = socket.getaddrinfo(host, parts.port or PORTS[parts.scheme], type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        if is_allowed(address):
            return address
    raise RefusedError(
        f"{host} is {', '.join(dict.fromkeys(map(str, addresses)))}, which is not public. Whoever runs this "
        "installation can allow it: FLOWLEDGER_WEBHOOK_ALLOW."
    )


def is_allowed(address: Address, *, networks: Sequence[str] | None = None) -> bool:
    """Whether an address is public, or one of the networks that the installation allows."""
    allow = settings.WEBHOOK_ALLOW if networks is None else networks
    if any(
        address in network
        for network in map(ipaddress.ip_network, allow)
        if network.version == address.version
    ):
        return True
    inner = _inner(address)
    if inner is not None:
        return is_allowed(inner, networks=allow)
    return address.is_global and not address.is_multicast


def _inner(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


class _Pinned(http.client.HTTPConnection):
    """A connection to a given address, whatever the name says by now; and over by a deadline, whatever comes."""

    def __init__(self, parts: SplitResult, address: Address) -> None:
        port = parts.port or PORTS[parts.scheme]
        super().__init__(parts.hostname or "", port, timeout=CONNECT_SECONDS)
        self.parts, self.address = parts, address
        self.line: socket.socket | None = None  # the response takes `sock` over

    def connect(self) -> None:
        """Connect to the address; TLS by the name."""
        plain = socket.create_connection((str(self.address), self.port), timeout=CONNECT_SECONDS)
        if self.parts.scheme == "https":
            plain = ssl.create_default_context().wrap_socket(plain, server_hostname=self.parts.hostname)
        self.sock = self.line = plain

    def cut(self) -> None:
        """End it, from another thread: whoever reads gets an error at once."""
        if self.line is not None:
            with suppress(OSError):  # it has ended by itself
                self.line.shutdown(socket.SHUT_RDWR)


def _exchange(parts: SplitResult, address: Address, body: bytes, headers: dict[str, str]) -> Answered:
    connection = _Pinned(parts, address)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    deadline = threading.Timer(TOTAL_SECONDS, connection.cut)
    deadline.daemon = True
    deadline.start()
    try:
        connection.request("POST", target, body=body, headers=headers)
        response = connection.getresponse()
        answer = response.read(MOST_ANSWER).decode("utf-8", "replace").replace("\0", "")
        return _answered(response.status, answer)
    finally:
        deadline.cancel()
        connection.close()


def _answered(status: int, answer: str) -> Answered:
    if 300 <= status < 400:
        return Answered(False, status, f"Redirects are not followed. {answer}"[:MOST_ANSWER])
    return Answered(200 <= status < 300, status, answer)


def _said(problem: Exception) -> str:
    if isinstance(problem, TimeoutError):
        return "No answer in time."
    return f"{type(problem).__name__}: {problem}"[:300]

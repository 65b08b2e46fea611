"""The webhook against a real receiver, and against addresses that it must not reach."""

import hashlib
import hmac
import ipaddress
import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from guardrails import webhook
from tests.guardrails.alerting import at
from tests.guardrails.receivers import hook

BODY = b'{"id": 1}'
LOCAL = ["127.0.0.0/8"]


def post(url, *, secret="s3cret"):  # noqa: S107
    return webhook.post(url, BODY, secret=secret, delivery="d-1", now=at(0))


@pytest.fixture
def allowed(settings):
    settings.WEBHOOK_ALLOW = LOCAL


def test_it_is_signed_over_time_and_body(allowed):
    with hook() as receiver:
        assert post(receiver.url) == webhook.Answered(True, 200, "ok")
    (got,) = receiver.got
    stamp = int(at(0).timestamp())
    expected = hmac.new(b"s3cret", f"{stamp}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert got.headers["x-flowledger-signature"] == f"t={stamp},v1={expected}"
    assert (got.headers["x-flowledger-delivery"], got.body) == ("d-1", BODY)


def test_the_five_lines_of_the_docs_verify_it(allowed):
    text = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
    code = re.search(r"```python\n(def verified.*?)```", text, re.S)
    assert code is not None
    assert len(code[1].strip().splitlines()) <= 5
    names: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib, "time": time}
    exec(code[1], names)  # noqa: S102 - what the docs say
    now = at(0).timestamp()
    header = webhook.signature("s3cret", BODY, now=at(0))
    assert names["verified"](header, BODY, "s3cret", now)
    assert not names["verified"](header, BODY + b" ", "s3cret", now)
    assert not names["verified"](header, BODY, "other", now)
    assert not names["verified"](header, BODY, "s3cret", now + 301)


def test_a_redirect_is_not_followed(allowed):
    with hook() as private, hook() as receiver:
        receiver.answers = [(301, {"Location": private.url}, b"over there")]
        answer = post(receiver.url)
    assert (answer.ok, answer.status, private.got) == (False, 301, [])
    assert "not followed" in answer.answer


def test_a_receiver_that_hangs_is_left(allowed, monkeypatch):
    monkeypatch.setattr(webhook, "CONNECT_SECONDS", 0.3)
    with hook() as receiver:
        receiver.slow = 1.0
        started = time.monotonic()
        assert post(receiver.url) == webhook.Answered(False, None, "No answer in time.")
    assert time.monotonic() - started < 1.5


def test_a_receiver_that_drips_is_left(allowed, monkeypatch):
    monkeypatch.setattr(webhook, "TOTAL_SECONDS", 0.4)
    with hook() as receiver:
        receiver.drip = True
        started = time.monotonic()
        post(receiver.url)
    assert time.monotonic() - started < 3


def test_of_the_answer_a_kilobyte_is_kept(allowed):
    with hook() as receiver:
        receiver.answers = [(200, {}, b"\0x" * 5000)]
        answer = post(receiver.url)
    assert answer.ok
    assert len(answer.answer) <= 1024
    assert "\0" not in answer.answer


def test_without_a_secret_there_is_no_signature(allowed):
    with hook() as receiver:
        post(receiver.url, secret="")
    assert "x-flowledger-signature" not in receiver.got[0].headers


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
    "0.0.0.0",  # noqa: S104
    "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "::", "ff02::1",
])  # fmt: skip
def test_what_is_not_public_is_refused(address, settings):
    settings.WEBHOOK_ALLOW = []
    assert not webhook.is_allowed(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_what_is_public_is_not(address):
    assert webhook.is_allowed(ipaddress.ip_address(address))


def test_networks_can_be_allowed(settings):
    settings.WEBHOOK_ALLOW = ["10.0.0.0/8"]
    assert webhook.is_allowed(ipaddress.ip_address("10.1.2.3"))
    assert not webhook.is_allowed(ipaddress.ip_address("127.0.0.1"))


def test_a_private_address_gets_no_connection(settings):
    settings.WEBHOOK_ALLOW = []
    with hook() as receiver:
        answer = post(receiver.url)
    assert (answer.ok, receiver.got) == (False, [])
    assert "not public" in answer.answer
    assert "FLOWLEDGER_WEBHOOK_ALLOW" in answer.answer


def test_a_name_is_looked_up_once(settings, monkeypatch):
    """The second answer of a name that changes its mind is never asked for."""
    settings.WEBHOOK_ALLOW = LOCAL
    asked = []
    real = socket.getaddrinfo

    def resolve(host, port, *args, **kwargs):
        if host != "rebinding.example":
            return real(host, port, *args, **kwargs)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "10.0.0.1", port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with hook() as receiver:
        assert post(f"http://rebinding.example:{receiver.port}/x").ok
    assert asked == ["rebinding.example"]
    assert receiver.got[0].headers["host"] == f"rebinding.example:{receiver.port}"


@pytest.mark.parametrize("url", [
    "ftp://x", "https://", "nonsense", "http://user:pw@example.com/", "http://a b/", "http://exämple.com/",
    "http://x:99999/", "http://x:0/", "http://x/\r\nX: y", "javascript:alert(1)", "http://[::1",
])  # fmt: skip
def test_what_is_no_address_is_said_so(url):
    with pytest.raises(webhook.RefusedError):
        webhook.checked_url(url)
    assert not post(url).ok


def test_a_name_that_does_not_exist_is_an_answer(allowed):
    assert not post("https://nowhere.invalid/x").ok


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..b", ".b"])
def test_a_host_that_can_be_none_is_refused_and_never_raises(host):
    with pytest.raises(webhook.RefusedError, match="63 letters"):
        webhook.checked_url(f"https://{host}/x")
    assert not webhook.post(f"https://{host}/x", BODY, secret="", delivery="d", now=at(0)).ok

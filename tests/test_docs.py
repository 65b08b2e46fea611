"""What the documentation shows is true: commands exist, requests are accepted, links lead somewhere, code runs.

Every fenced block of README.md and docs/*.md is checked by what it holds. One that cannot be is named in UNTRIED with
the reason, so that a new kind of snippet fails until somebody decides how it is tried.
"""

import hashlib
import hmac
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.core.management import get_commands, load_command_class
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils.timezone import now as the_time

from accounts.models import Project
from guardrails.alert_models import Channel
from tests.personas import bearer, make_key, make_project

ROOT = Path(__file__).parents[1]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REQUEST = re.compile(r"(POST|PUT) (/\S+)\n")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
# Blocks that are no request, command or code of ours: how they begin -> why they are not tried here.
UNTRIED = {
    "litellm_settings:": "lines of LiteLLM's own configuration",
    "with tracer.start_as_current_span": "needs the application's tracer",
    "export ": "settings of other programs; their addresses are tried by test_every_address_in_a_setting",
    "import json, time, urllib.error": "run by tests/guardrails/test_budget_docs.py",
    '{"id": 7, "name": "Triage"': "an answer; held against the API by tests/guardrails/test_budget_docs.py",
    '{"id": 17, "rule":': "an answer with its ends left out",
}
# Addresses that are none of ours: what Opik's SDK puts its paths behind, and examples of an application's.
ELSEWHERE = {"/opik/api", "/tickets"}
SCOPES = {
    "$FLOWLEDGER_KEY": ("ingest",),
    "$READ_KEY": ("read",),
    "$ADMIN_KEY": ("admin",),
    "$GUARD_KEY": ("guard",),
}


@dataclass(frozen=True, slots=True)
class Snippet:
    """One fenced block, and where it stands."""

    place: str
    language: str
    text: str

    def __str__(self) -> str:
        return self.place


def _snippets() -> list[Snippet]:
    found = []
    for document in DOCS:
        text = document.read_text()
        for block in FENCE.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            found.append(Snippet(f"{document.relative_to(ROOT)}:{line}", block[1], block[2]))
    return found


SNIPPETS = _snippets()
COMMANDS = [
    pytest.param(line, id=f"{each.place} {line.split()[1][:20]}")
    for each in SNIPPETS
    for line in each.text.replace("\\\n", " ").splitlines()
    if "manage.py " in line
]
CURLS = [each for each in SNIPPETS if each.text.lstrip().startswith("curl ")]
BODIES = [each for each in SNIPPETS if REQUEST.match(each.text)]


def _is_tried(snippet: Snippet) -> bool:
    lines = [line for line in snippet.text.replace("\\\n", " ").splitlines() if line.strip()]
    only_commands = all(re.match(r"make |\S*python3? manage\.py |git |cd |#", line) for line in lines)
    return snippet in CURLS or snippet in BODIES or only_commands or snippet.text.startswith("def verified(")


@pytest.fixture
def project(db) -> Project:
    cache.clear()
    project = make_project("My product")
    Channel.objects.create(project=project, name="ops", kind="email", url=b"", shown="")
    return project


@pytest.mark.parametrize("snippet", SNIPPETS, ids=str)
def test_each_snippet_is_tried_or_says_why_not(snippet):
    reasons = [why for start, why in UNTRIED.items() if snippet.text.startswith(start)]
    assert _is_tried(snippet) or reasons, f"{snippet.place} is neither tried nor named in UNTRIED"


def test_no_reason_is_left_over():
    assert [start for start in UNTRIED if not any(each.text.startswith(start) for each in SNIPPETS)] == []


def _request(words: list[str]) -> dict[str, Any]:
    """Method, address, headers and body of a curl command. Fails on options that it does not know."""
    found: dict[str, Any] = {"method": None, "headers": {}, "body": None, "url": None}
    rest = iter(words[1:])
    for word in rest:
        if word in ("-X", "--request"):
            found["method"] = next(rest)
        elif word in ("-H", "--header"):
            name, _, value = next(rest).partition(": ")
            found["headers"][name] = value
        elif word in ("-d", "--data", "--data-binary"):
            found["body"] = next(rest)
        elif word in ("-o", "--output"):
            next(rest)
        elif not word.startswith("-"):
            found["url"] = word
        else:
            assert word in ("-i", "-s", "-f", "-sS", "-fsS"), f"curl {word}"
    return found


def _curls_of(text: str) -> list[list[str]]:
    """The commands of a block: each begins with curl at the start of a line."""
    return [
        shlex.split(each.replace("\\\n", " ")) for each in re.split(r"(?m)^(?=curl )", text) if each.strip()
    ]


@pytest.mark.parametrize("snippet", CURLS, ids=str)
def test_requests_are_accepted_as_they_stand(snippet, project):
    for words in _curls_of(snippet.text):
        asked = _request(words)
        key = next(name for name in SCOPES if name in asked["headers"].get("Authorization", ""))
        url = urlsplit(asked["url"])
        method = asked["method"] or ("POST" if asked["body"] is not None else "GET")
        answer = Client().generic(
            method, f"{url.path}?{url.query}" if url.query else url.path, asked["body"] or "",
            content_type=asked["headers"].get("Content-Type", ""), headers=bearer(make_key(project, *SCOPES[key])),
        )  # fmt: skip
        _assert_taken(answer)


@pytest.mark.parametrize("snippet", BODIES, ids=str)
def test_bodies_are_accepted_as_they_stand(snippet, project):
    asked = REQUEST.match(snippet.text)
    assert asked is not None
    body = json.dumps(json.loads(snippet.text[asked.end() :]))
    scopes = ("ingest",) if "guard" not in asked[2] else ("admin",)
    answer = Client().generic(
        asked[1], asked[2], body, content_type="application/json", headers=bearer(make_key(project, *scopes))
    )
    _assert_taken(answer)


def _assert_taken(answer: Any) -> None:
    told = "" if answer.streaming else answer.content.decode(errors="replace")
    assert 200 <= answer.status_code < 300, told
    if told.startswith("{"):
        assert not json.loads(told).get("rejected"), told
        assert not json.loads(told).get("warnings"), told


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_exist_with_their_options(line):
    name, *words = shlex.split(line, comments=True)[2:]
    assert name in get_commands(), f"there is no command {name}"
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    parser.parse_args(words)  # argparse exits on what it does not know


@pytest.mark.parametrize("document", DOCS, ids=lambda each: str(each.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    text = document.read_text()
    for target in LINK.findall(FENCE.sub("", text)):
        if urlsplit(target).scheme:
            continue
        path, _, anchor = target.partition("#")
        found = document if not path else (document.parent / path)
        assert found.exists(), target
        if anchor:
            titles = re.findall(r"(?m)^#+ (.*)$", found.read_text())
            assert anchor in [re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in titles], (
                target
            )


def test_every_address_in_a_setting_and_in_a_sentence_is_one():
    unknown = []
    for document in DOCS:
        text = document.read_text()
        for path in re.findall(r"http://127\.0\.0\.1:8000(/[\w/.-]+)", text):
            unknown += _unknown(path, document)
        for path in re.findall(r"(?:GET|POST|PUT|DELETE) (/[\w/<>.-]+)", text):
            unknown += _unknown(re.sub(r"<[\w-]+>", "7", path), document)
    assert unknown == []


def _unknown(path: str, document: Path) -> list[str]:
    if path in ELSEWHERE:
        return []
    try:
        resolve(path.rstrip("."))
    except Resolver404:
        return [f"{document.name}: {path}"]
    return []


def test_the_webhook_verification_of_the_page_accepts_and_refuses():
    block = next(each for each in SNIPPETS if each.text.startswith("def verified("))
    names: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib}
    exec(block.text, names)  # noqa: S102 - our own documentation
    stamp = int(the_time().timestamp())
    signature = hmac.new(b"secret", f"{stamp}.".encode() + b"{}", hashlib.sha256).hexdigest()
    header = f"t={stamp},v1={signature}"
    assert names["verified"](header, b"{}", "secret", stamp + 10)
    assert not names["verified"](header, b"{ }", "secret", stamp + 10)
    assert not names["verified"](header, b"{}", "secret", stamp + 400)


def test_langfuse_finds_its_path(project):
    answer = Client().post(
        "/api/public/otel/v1/traces", '{"resourceSpans": []}', content_type="application/json",
        headers=bearer(make_key(project, "ingest")),
    )  # fmt: skip
    assert answer.status_code == 200


def test_the_pictures_are_few_and_small():
    pictures = sorted((ROOT / "docs" / "pictures").glob("*"))
    assert 1 <= len(pictures) <= 8
    assert [each.name for each in pictures if each.stat().st_size >= 150_000] == []
    told = "".join(each.read_text() for each in DOCS)
    assert [each.name for each in pictures if f"pictures/{each.name}" not in told] == []

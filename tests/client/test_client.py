"""The client against a real HTTP server, and end to end against Flowledger itself."""

import asyncio
import gzip
import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.keys import create_key
from accounts.models import Project
from ingest.privacy import fingerprint_key, hash_of
from ingest.wire.content import fingerprint_source as server_source
from tests.analytics.ledger import load, rows

SRC = str(Path(__file__).parents[2] / "client" / "src")
sys.path.insert(0, SRC)

import flowledger  # noqa: E402
from flowledger.responses import fingerprint, fingerprint_source, usage_part  # noqa: E402
from flowledger.sender import Sender  # noqa: E402

REQUEST = {
    "model": "gpt-4.1-mini",
    "temperature": 0.2,
    "messages": [
        {"role": "system", "content": "Sort tickets – kurz"},
        {"role": "user", "content": "secret words"},
    ],
}
RESPONSE = {
    "id": "chatcmpl-1", "model": "gpt-4.1-mini-2025-04-14",
    "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "secret answer"}}],
    "usage": {"prompt_tokens": 1200, "completion_tokens": 85},
}  # fmt: skip


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        server: Any

        def do_GET(self):
            self._answer(200, {"key": "00" * 32})

        def do_POST(self):
            body = json.loads(gzip.decompress(self.rfile.read(int(self.headers["Content-Length"]))))
            status = self.server.statuses.pop(0) if self.server.statuses else 202
            self.server.tries.append(body)
            if status == 202:
                self.server.kept.extend(body.get("responses", []))
            self._answer(status, {})

        def _answer(self, status, body):
            self.send_response(status)
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_):
            pass

    found: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.statuses, found.tries, found.kept = [], [], []
    found.url = f"http://127.0.0.1:{found.server_port}"
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


def test_content_stays_in_the_application(server):
    flowledger.configure(server.url, "k")
    with flowledger.flow("support-triage", user="u-1"):
        flowledger.record(RESPONSE, provider="openai", request=REQUEST)
    assert flowledger.flush()
    assert "secret" not in json.dumps(server.tries)
    (sent,) = server.kept
    assert (sent["flow"], sent["user"]) == ("support-triage", "u-1")
    assert sent["fingerprint"] == fingerprint(fingerprint_source(REQUEST), bytes(32))


def test_a_retry_sends_the_same_ids_and_times(server):
    server.statuses = [503, 429]
    flowledger.configure(server.url, "k")
    flowledger.record(RESPONSE)
    assert flowledger.flush(10)
    assert len(server.tries) == 3
    assert server.tries[0] == server.tries[2]


def test_a_refusal_is_counted_and_said_in_one_line(server, caplog):
    server.statuses = [401, 401]
    sender = flowledger.configure(server.url, "k", batch=1)
    flowledger.record(RESPONSE)
    flowledger.record(RESPONSE)
    assert flowledger.flush()
    assert sender.refused == 2
    assert len(caplog.messages) == 1


def test_a_full_queue_drops_and_says_so_once(caplog):
    sender = Sender("http://127.0.0.1:9", "k", size=5)
    assert [sender.put("/v1/responses", {}) for _ in range(8)].count(False) == 3
    assert sender.dropped == 3
    assert len(caplog.messages) == 1
    sender.close(0)


def test_a_thousand_threads_lose_nothing(server):
    flowledger.configure(server.url, "k")
    with flowledger.flow("many"):
        threads = [
            threading.Thread(target=flowledger.wrap(flowledger.record), args=(RESPONSE,)) for _ in range(1000)
        ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert flowledger.flush(20)
    assert len({item["id"] for item in server.kept}) == 1000
    assert {item["flow"] for item in server.kept} == {"many"}


@pytest.mark.parametrize(
    "ending", ["", "import os\nif os.fork() == 0:\n    flowledger.record(R)\nelse:\n    os.wait()"]
)
def test_what_waits_is_sent_at_exit_by_parent_and_child(server, ending):
    code = f"import flowledger\nR = {RESPONSE!r}\nflowledger.record(R)\n{ending}\n"
    env = {**os.environ, "PYTHONPATH": SRC, "FLOWLEDGER_URL": server.url, "FLOWLEDGER_KEY": "k"}
    subprocess.run([sys.executable, "-c", code], env=env, check=True, timeout=60)
    assert len({item["id"] for item in server.kept}) == (2 if ending else 1)


def test_a_decorator_names_the_flow_of_sync_and_async_functions():
    @flowledger.flow("outer", user="u")
    async def work():
        await asyncio.sleep(0)
        return flowledger.current()

    assert asyncio.run(work())["flow"] == "outer"
    assert flowledger.current() == {}


@pytest.mark.parametrize("broken", [None, 7, object()])
def test_nothing_is_raised_into_the_application(broken):
    flowledger.configure("http://127.0.0.1:9", "k").close(0)
    flowledger.record(broken, request={"messages": [3]})
    assert isinstance(usage_part(broken), dict)


def test_the_fingerprint_is_the_servers_own():
    source = server_source({"input": REQUEST["messages"], "sampling": {"temperature": 0.2}})
    assert fingerprint(fingerprint_source(REQUEST), b"k") == hash_of(source, b"k")


@pytest.mark.django_db(transaction=True)
def test_what_the_client_sends_is_in_the_ledger(live_server):
    project = Project.objects.create(slug="sent", name="Sent")
    flowledger.configure(live_server.url, create_key(project=project, scopes=["ingest"])[1])
    with flowledger.flow("support-triage", user="u-4711", customer="acme"):
        flowledger.record(RESPONSE, provider="openai", request=REQUEST)
    assert flowledger.flush(20)
    load(project, now=datetime.now(UTC))
    source = server_source({"input": REQUEST["messages"], "sampling": {"temperature": 0.2}})
    keyed = hash_of(source, fingerprint_key(project.pk))
    stored = rows("SELECT input, output, fingerprint FROM call WHERE project_id = %s", project.pk)
    assert stored == [(1200, 85, keyed)]
    reader = create_key(project=project, scopes=["read"])[1]
    answer = Client().get("/v1/calls", headers={"Authorization": f"Bearer {reader}"}).content.decode()
    assert "support-triage" in answer
    assert "u-4711" in answer


def test_a_field_that_does_not_exist_is_left_out_and_told(caplog):
    with flowledger.flow("triage", user="u-1", colour="red"):
        assert {key: value for key, value in flowledger.current().items() if key != "trace_id"} == {
            "flow": "triage", "user": "u-1",
        }  # fmt: skip
    assert "no field colour" in caplog.text

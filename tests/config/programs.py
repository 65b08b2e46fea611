"""`python -m tests.config.programs [flags of config.run]`: `config.run` with small programs in place of the real ones.

What the supervisor does can be seen in a second; the real programs are run by the journeys and the fault runs.
"""

import os
import sys

from config import run
from config.programs import Options, Plan
from config.supervise import Program

WEB = """
import http.server, os, signal, subprocess, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "started-by-web"])
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if "WORKER_FAILS" in os.environ else 200)
        self.end_headers()
    def log_message(self, *args): pass
http.server.HTTPServer.allow_reuse_port = True
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""
SLEEP = "import time; print('up', flush=True); time.sleep(600)"
FAIL = "import sys; sys.exit('no luck')"


def python(name: str, code: str, *arguments: str, **kinds: bool) -> Program:
    return Program(name, (sys.executable, "-c", code, *arguments, name), **kinds)


def plan(options: Options) -> Plan:
    return Plan(
        database=python("database", "import os; assert os.environ['DATABASE_URL']"),
        first=python("first", "print('login: a@example.com / secret')", kept=True),
        static=python("static", SLEEP if "WEB_WAITS" in os.environ else "pass"),
        web=python("web", WEB, str(options.port)),
        others=(
            python("worker", FAIL if "WORKER_FAILS" in os.environ else SLEEP),
            python("beat", SLEEP, last=True),
        ),
    )


if __name__ == "__main__":
    sys.exit(run.main(sys.argv[1:], plan))

"""Every page, opened as an owner of the project; and the questions that read most, beside the commonest ten."""

import http.client
import os
import subprocess
import sys
import time

import psycopg

from bench.answers import QUESTIONS, Asked, ninety
from bench.product import Product
from config.programs import HOST

HEAVY: dict[str, str] = {
    "model x day, 90 days": "measures=cost,calls&group_by=model&grain=day&{ninety}&limit=100",
    "flow x day, 90 days, previous": "measures=cost&group_by=flow&grain=day&{ninety}&compare=previous",
    "six measures by flow, 90 days":
        "measures=cost,calls,error_rate,runs,cost_per_run,p95_run_duration&group_by=flow&{ninety}",
    "p50, p95 by model and day, 90 days": "measures=p50_latency,p95_latency&group_by=model&grain=day&{ninety}",
    "p95 by flow and model, 90 days": "measures=p95_latency&group_by=flow,model&{ninety}&limit=1000",
    "p95 of a flow by day, 90 days": "measures=p95_latency&grain=day&flow=flow-3&{ninety}",
    "model x hour, 7 days": "measures=cost&group_by=model&grain=hour&period=7d",
    "model x day of another zone, 28 days": "measures=cost&group_by=model&grain=day&period=28d&zone=Asia/Kolkata",
    "top customers, 90 days": "measures=cost&group_by=customer&{ninety}&limit=10",
    "top customers by day, 90 days": "measures=cost&group_by=customer&grain=day&{ninety}&limit=10",
    "customers of a flow, 90 days": "measures=cost&group_by=customer&flow=flow-3&{ninety}&limit=10",
    "prompt versions of a flow, 90 days": "measures=cost,calls&group_by=prompt_version&flow=flow-3&{ninety}",
    "releases, 90 days": "measures=cost,calls&group_by=release&{ninety}",
    "error classes by day, 90 days": "measures=calls&group_by=error_class&grain=day&{ninety}",
}  # fmt: skip
PAGES: dict[str, str] = {
    "Overview, month to date": "/",
    "Overview, 28 days": "/?period=28d",
    "Overview, 90 days": "/?{ninety}",
    "Explore, by feature": "/explore",
    "Explore, by flow, 90 days": "/explore?group_by=flow&{ninety}",
    "Explore, by model and day, 28 days": "/explore?group_by=model&period=28d&grain=day",
    "Explore, p95 by model, 90 days": "/explore?measure=p95_latency&group_by=model&{ninety}",
    "Explore, by customer, 28 days": "/explore?group_by=customer&period=28d",
    "Explore, by customer, 90 days": "/explore?group_by=customer&{ninety}",
    "Explore, one flow by prompt version": "/explore?group_by=prompt_version&flow=flow-3&period=28d",
    "Runs": "/runs",
    "Runs, failed": "/runs?order=failed",
    "Runs, slowest, 28 days": "/runs?order=slowest&period=28d",
    "Calls": "/calls",
    "Calls of a flow and model": "/calls?flow=flow-3&model=gpt-4o",
    "Calls of a customer": "/calls?customer=customer-7",
    "A run": "/runs/{run}",
    "Trust: unpriced": "/trust/unpriced",
    "Trust: rejected": "/trust/rejected",
    "Trust: duplicates": "/trust/duplicates",
    "Settings: project": "/settings/",
    "Settings: keys": "/settings/keys",
    "Settings: prices": "/settings/prices",
    "Settings: imports": "/settings/imports",
    "Settings: audit": "/settings/audit",
}


def asked(product: Product, *, times: int) -> list[Asked]:
    """The ten commonest and the heaviest questions."""
    secret = product.keys()[0].secret
    headers = {"Authorization": f"Bearer {secret}"}
    every = {**QUESTIONS, **HEAVY}
    paths = {name: f"/v1/query?{query.format(ninety=ninety())}" for name, query in every.items()}
    return _timed(product, paths, headers, times)


def opened(product: Product, *, times: int) -> list[Asked]:
    """Every page."""
    with psycopg.connect(product.url(), autocommit=True) as database:
        row = database.execute(
            "SELECT id FROM run WHERE calls > 2 ORDER BY first_day DESC LIMIT 1"
        ).fetchone()
    values = {"ninety": ninety(), "run": row[0].hex if row else ""}
    paths = {name: f"/p/bench-1{path.format(**values)}" for name, path in PAGES.items()}
    return _timed(product, paths, {"Cookie": f"sessionid={_session(product)}"}, times)


def _session(product: Product) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bench.visitor"], capture_output=True, text=True, check=True, timeout=120,
        env={**os.environ, "DATABASE_URL": product.url(), "FLOWLEDGER_DATA": str(product.data),
             "SECRET_KEY": "for benchmarks only"},
    )  # fmt: skip
    return done.stdout.strip().splitlines()[-1]


def _timed(product: Product, paths: dict[str, str], headers: dict[str, str], times: int) -> list[Asked]:
    connection = http.client.HTTPConnection(HOST, product.port, timeout=60)
    return [_once(connection, name, path, headers, times) for name, path in paths.items()]


def _once(
    connection: http.client.HTTPConnection, name: str, path: str, headers: dict[str, str], times: int
) -> Asked:
    took, status = [], 0
    for _ in range(times + 1):
        start = time.monotonic()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        status = answer.status
        took.append(time.monotonic() - start)
    return Asked(name, status, sorted(took[1:]))

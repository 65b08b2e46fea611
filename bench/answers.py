"""The ten commonest questions, asked over HTTP of what is stored."""

import http.client
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.product import Key, Product
from config.programs import HOST

QUESTIONS: dict[str, str] = {
    "spend by flow, 28 days": "measures=cost,calls&group_by=flow&period=28d&grain=all",
    "spend by day, 90 days": "measures=cost&{ninety}&grain=day",
    "spend by flow and day, 90 days": "measures=cost&group_by=flow&{ninety}&grain=day",
    "spend by model, 90 days": "measures=cost,calls,total_tokens&group_by=model&{ninety}&grain=all",
    "flow x model, 90 days": "measures=cost,calls&group_by=flow,model&{ninety}&grain=all&limit=1000",
    "p95 latency by flow, 28 days": "measures=p95_latency&group_by=flow&period=28d&grain=all",
    "p95 latency by model, 90 days": "measures=p95_latency&group_by=model&{ninety}&grain=all",
    "errors by hour, 7 days": "measures=errors,error_rate&period=7d&grain=hour",
    "top customers, 28 days": "measures=cost&group_by=customer&period=28d&grain=all&order=-cost&limit=20",
    "cost, users, p95, previous period": "measures=cost,users,p95_run_duration&period=28d&grain=day&compare=previous",
}


@dataclass(frozen=True)
class Asked:
    """A question's status and its times, ascending, in seconds of the round trip on this machine."""

    name: str
    status: int
    took: list[float]


def ask_all(product: Product, key: Key, *, times: int) -> list[Asked]:
    """Every question `times` times, after one that is not counted."""
    connection = http.client.HTTPConnection(HOST, product.port, timeout=60)
    return [
        _asked(connection, key, name, f"/v1/query?{query.format(ninety=ninety())}", times)
        for name, query in QUESTIONS.items()
    ]


def _asked(connection: http.client.HTTPConnection, key: Key, name: str, path: str, times: int) -> Asked:
    took, status = [], 0
    for _ in range(times + 1):
        start = time.monotonic()
        connection.request("GET", path, headers={"Authorization": f"Bearer {key.secret}"})
        answer = connection.getresponse()
        answer.read()
        status = answer.status
        took.append(time.monotonic() - start)
    return Asked(name, status, sorted(took[1:]))


def ninety() -> str:
    """The last 90 days as parameters."""
    today = datetime.now(UTC).date()
    return f"from={today - timedelta(days=89)}&to={today + timedelta(days=1)}"

"""A constructed world with known truth: 30 flows, 60 days, 12 planted changes of all kinds, 18 quiet flows with noise.

Every planted change is noticed within a quarter hour of its first call, as the product runs; none is invented on the
quiet flows. The same history imported at once, in any order, makes the same history of changes.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from analytics.changes_models import Change
from analytics.changes_notice import notice_in
from analytics.pricebook import row_of
from ingest.records import CallRecord, Tokens
from pricing import own
from tests.analytics.ledger import load, send
from tests.personas import make_project

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 9, 25, tzinfo=UTC)
DAYS = 60
END = BEGIN + timedelta(days=DAYS)
QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Planted:
    """One change: the flow's calls carry `before` until `at`, and `after` from then on."""

    kind: str
    at: datetime
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def flow(self) -> str:
        return f"{self.kind}-{self.at:%d%H}"


def on(day: int, hour: int, minute: int = 0) -> datetime:
    return BEGIN + timedelta(days=day, hours=hour, minutes=minute)


PROMPT = {"prompt": "triage"}
PLANTED = (
    Planted("prompt", on(12, 9, 31), {**PROMPT, "prompt_version": "v11"}, {**PROMPT, "prompt_version": "v12"}),
    Planted("prompt", on(33, 3, 14), {"prompt_version": "2026-09"}, {"prompt_version": "2026-10"}),
    Planted("prompt", on(47, 22, 59), {**PROMPT, "prompt_version": "v1", "step": "classify"},
            {"prompt": "triage-two", "prompt_version": "v1", "step": "classify"}),
    Planted("fingerprint", on(30, 15, 5), {"fingerprint": "a" * 32}, {"fingerprint": "b" * 32}),
    Planted("model", on(20, 10, 2), {"model": "gpt-4o-mini"}, {"model": "gpt-4o"}),
    Planted("model", on(52, 0, 0), {"provider": "openai", "model": "gpt-4o"},
            {"provider": "anthropic", "model": "claude-haiku-4-5"}),
    Planted("snapshot", on(25, 18, 44), {"model": "gpt-4o", "response_model": "gpt-4o-2024-08-06"},
            {"model": "gpt-4o", "response_model": "gpt-4o-2024-11-20"}),
    Planted("provider", on(41, 7, 7), {"provider": "openai"}, {"provider": "azure"}),
    Planted("service_tier", on(55, 13, 0), {"service_tier": "standard"}, {"service_tier": "flex"}),
    Planted("retrieval", on(38, 8, 0), {"retrieval": "kb-2026-10"}, {"retrieval": "kb-2026-11"}),
    Planted("release", on(58, 9, 32), {"release": "web@4.3.0"}, {"release": "web@4.3.1"}),
    Planted("price", on(45, 0, 0), {"model": "gpt-4.1"}, {"model": "gpt-4.1"}),
)  # fmt: skip


def call_at(flow: str, at: datetime, number: int, **fields: Any) -> CallRecord:
    given: dict[str, Any] = {"provider": "openai", "model": "gpt-4o-mini"}
    return CallRecord(
        id=f"{flow}-{number}", started_us=int(at.timestamp() * 1e6), flow=flow, feature="world",
        tokens=Tokens(input=500, output=50), duration_us=400_000, **(given | fields),
    )  # fmt: skip


def moments(chance: random.Random, a_day: float) -> list[datetime]:
    count = max(2, int(a_day * DAYS))
    return sorted(BEGIN + timedelta(seconds=chance.uniform(0, DAYS * 86_400 - 1)) for _ in range(count))


def planted_calls(chance: random.Random, planted: Planted) -> list[CallRecord]:
    times = sorted([*moments(chance, 3), planted.at, planted.at - timedelta(minutes=40)])
    return [
        call_at(planted.flow, at, number, **(planted.after if at >= planted.at else planted.before))
        for number, at in enumerate(times)
    ]


def experiment(flow: str, chance: random.Random) -> list[CallRecord]:
    """Two versions that alternate from the beginning."""
    times = [BEGIN, BEGIN + timedelta(minutes=2), *moments(chance, 5)]
    arms = [0, 1, *(chance.randrange(2) for _ in times[2:])]
    return [call_at(flow, at, n, prompt="ab", prompt_version=f"v{arms[n]}") for n, at in enumerate(times)]


def rerun(flow: str, chance: random.Random) -> list[CallRecord]:
    """An old version that comes back for an hour, again and again."""
    times = [BEGIN, BEGIN + timedelta(minutes=3), *moments(chance, 3)]
    old = {0, *(chance.randrange(2, len(times)) for _ in range(6))}
    return [
        call_at(flow, at, n, prompt_version="v1" if n in old else "v2", model="gpt-4o")
        for n, at in enumerate(times)
    ]


def dated(flow: str, chance: random.Random) -> list[CallRecord]:
    """A prompt with the date in it: another fingerprint every day."""
    return [
        call_at(flow, at, n, fingerprint=f"{at:%Y%m%d}".ljust(32, "0"))
        for n, at in enumerate(moments(chance, 6))
    ]


def personal(flow: str, chance: random.Random) -> list[CallRecord]:
    """A prompt with the user's name in it: ever new fingerprints."""
    return [
        call_at(flow, at, n, fingerprint=f"{chance.randrange(40):02x}" * 16)
        for n, at in enumerate(moments(chance, 4))
    ]


def sparse(flow: str, chance: random.Random) -> list[CallRecord]:
    """A call every few days, its prompt dated, some failed without an answering model."""
    return [
        call_at(
            flow,
            at,
            n,
            fingerprint=f"{at:%m%d}".ljust(32, "f"),
            response_model=chance.choice([None, "gpt-4o-mini"]),
        )
        for n, at in enumerate(moments(chance, 0.2))
    ]


def chained(flow: str, chance: random.Random) -> list[CallRecord]:
    """Two models and two prompts in every run, without names of steps."""
    found = []
    for number, at in enumerate(moments(chance, 2)):
        found.append(call_at(flow, at, 2 * number, prompt="find", prompt_version="v3"))
        later = at + timedelta(seconds=2)
        found.append(call_at(flow, later, 2 * number + 1, prompt="say", prompt_version="v8", model="gpt-4o"))
    return found


QUIET = (experiment, rerun, dated, personal, sparse, chained)


def world() -> list[CallRecord]:
    chance = random.Random(4711)
    found = [record for planted in PLANTED for record in planted_calls(chance, planted)]
    for number in range(18):
        make = QUIET[number % len(QUIET)]
        found += make(f"quiet-{make.__name__}-{number}", chance)
    return sorted(found, key=lambda record: record.started_us)


def truth(project) -> set[tuple[str, str, str, datetime]]:
    """What the ledger says: (kind, flow, after, when)."""
    found = Change.objects.filter(project=project).prefetch_related("on_flows")
    return {(one.kind, row.name, one.after or "", one.at) for one in found for row in one.on_flows.all()}


def expected(planted: Planted) -> tuple[str, str, datetime]:
    return planted.kind, planted.flow, planted.at


def cheaper(project) -> None:
    """The price that is planted: a discount from its day on."""
    planted = PLANTED[-1]
    entry = own.discount(
        "openai", "gpt-4.1", Decimal(10), valid_from=planted.at, recorded_at=planted.at, note=""
    )
    row_of(entry, project_id=project.pk).save()


def test_planted_changes_are_noticed_within_a_quarter_hour_and_none_is_invented():
    project, calls = make_project(), world()
    assert len({record.flow for record in calls}) == 30
    assert len(calls) < 8_000
    cheaper(project)
    stops = sorted({*(BEGIN + timedelta(days=day) for day in range(5, DAYS + 1, 5)),
                    *(one.at + QUARTER for one in PLANTED)})  # fmt: skip
    told: dict[tuple[str, str, datetime], datetime] = {}
    at = 0
    for stop in stops:
        upto = next(
            (n for n in range(at, len(calls)) if calls[n].started_us >= stop.timestamp() * 1e6), len(calls)
        )
        if upto > at:
            send(project, calls[at:upto], now=stop)
            load(project, now=stop)
        at = upto
        notice_in(project, now=stop)
        for kind, flow, _, when in truth(project):
            told.setdefault((kind, flow, when), stop)
    assert {expected(one) for one in PLANTED} == set(told)
    assert all(told[expected(one)] - one.at <= QUARTER for one in PLANTED)
    values = {
        row.on_flows.get().name: (row.before, row.after) for row in Change.objects.filter(project=project)
    }
    for one in PLANTED:
        if one.kind not in ("price", "fingerprint"):
            name = {"snapshot": "response_model", "prompt": "prompt_version"}.get(one.kind, one.kind)
            before = (
                f"triage {one.before[name]}" if one.after.get("prompt") == "triage-two" else one.before[name]
            )
            assert values[one.flow] == (before, one.after[name])
    assert values[PLANTED[3].flow] == ("fp-" + "a" * 12, "fp-" + "b" * 12)
    assert values[PLANTED[-1].flow] == ("$2 / $8", "$1.8 / $7.2")


def test_the_same_history_imported_in_any_order_makes_the_same_changes():
    project, calls = make_project(), world()
    cheaper(project)
    random.Random(5).shuffle(calls)
    half = len(calls) // 2
    for part in (calls[:half], calls[half:]):
        send(project, part, now=END)
        load(project, now=END)
        notice_in(project, now=END)
    found = {(kind, flow, at) for kind, flow, _, at in truth(project)}
    assert found == {expected(one) for one in PLANTED}
    assert notice_in(project, now=END) == 0

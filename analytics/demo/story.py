"""What happened to Kestrel Desk in the year before the demo was made: growth, changes, an outage, a spike.

Everything is placed relative to the instant at which the demo project was made, so it stays where it is while
the traffic goes on.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from analytics.demo.product import CUSTOMERS, FLOWS, MODELS, Model, Plan, Step

DAY_US = 86_400_000_000
YEAR = timedelta(days=365)
ZONE = ZoneInfo("Europe/Berlin")
CALLS_A_DAY = 700.0  # on an average day when the demo was made
GREW = "support-triage"  # the flow whose prompt grew
GROWTH = 1.6
WEEK = (1.24, 1.3, 1.27, 1.25, 1.12, 0.44, 0.38)  # Monday to Sunday; mean 1
DAY = (
    0.16,
    0.11,
    0.08,
    0.08,
    0.1,
    0.18,
    0.42,
    0.95,
    1.75,
    2.15,
    2.25,
    2.1,
    1.7,
    1.95,
    2.15,
    2.05,
    1.75,
    1.25,
    0.85,
    0.65,
    0.52,
    0.42,
    0.34,
    0.24,
)  # fmt: skip - by hour of the day in Berlin; mean 1


@dataclass(frozen=True)
class Story:
    """The dates of everything that happened, in unix microseconds, made of `anchor` alone."""

    anchor: datetime
    seed: int = 4711
    begins: datetime = field(init=False)
    grown_us: int = field(init=False)
    price_from: datetime = field(init=False)
    outage_us: tuple[int, int] = field(init=False)
    spike_us: tuple[int, int] = field(init=False)
    versions: dict[str, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        today = self.anchor.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        outage = _workday(today - timedelta(days=5)).replace(hour=10)
        spike = _workday(today - timedelta(days=8))
        grown = max(today - timedelta(days=14), today.replace(day=1)).replace(hour=9, minute=30)
        self._set("begins", (today - YEAR).astimezone(UTC))
        self._set("grown_us", us(grown))
        self._set("price_from", (today - timedelta(days=4)).astimezone(UTC))
        self._set("outage_us", (us(outage), us(outage + timedelta(hours=3))))
        self._set("spike_us", (us(spike), us(spike + timedelta(days=1))))
        self._set("versions", {plan.name: self._versions(plan, at) for at, plan in enumerate(FLOWS)})

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _versions(self, plan: Plan, at: int) -> list[int]:
        """When each version of a flow's prompt came into use, the first before the year began."""
        last = self.grown_us if plan.name == GREW else us(self.anchor) - (20 + at * 3) * DAY_US
        pause = (37 + 5 * at % 23) * DAY_US
        return [last - pause * back for back in range(plan.versions - 1, -1, -1)]

    def calls_an_hour(self, hour_us: int) -> float:
        """Calls in the hour that begins then: the week's and the day's rhythm, over a year's growth."""
        local = datetime.fromtimestamp(hour_us / 1e6, ZONE)
        age = (us(self.anchor) - hour_us) / DAY_US
        level = 0.16 + 0.84 / (1 + math.exp((age - 150) / 45))
        return CALLS_A_DAY / 24 * level * WEEK[local.weekday()] * DAY[local.hour]

    def model(self, step: Step, at_us: int) -> Model:
        """The model that a step used then."""
        age = (us(self.anchor) - at_us) / DAY_US
        return MODELS[[name for days, name in step.models if age <= days][-1]]

    def version(self, plan: Plan, at_us: int) -> str | None:
        """The version of a flow's prompt then."""
        return f"v{max(1, bisect_right(self.versions[plan.name], at_us))}" if plan.prompt else None

    def swelling(self, plan: Plan, at_us: int) -> float:
        """By how much a flow's prompt was longer than it used to be."""
        return GROWTH if plan.name == GREW and at_us >= self.grown_us else 1.0

    def in_outage(self, provider: str, at_us: int) -> bool:
        """Whether the provider was out then."""
        return provider == "anthropic" and self.outage_us[0] <= at_us < self.outage_us[1]

    def in_use(self, plan: Plan, at_us: int) -> bool:
        """Whether the flow existed then."""
        return plan.new_for is None or at_us >= us(self.anchor) - plan.new_for * DAY_US

    def customer_weights(self, at_us: int) -> list[float]:
        """The size of each customer then: skewed, 0 before it came, doubled on the day of the spike."""
        age = (us(self.anchor) - at_us) / DAY_US
        spike = self.spike_us[0] <= at_us < self.spike_us[1]
        weights = [1 / (rank + 1.5) ** 0.85 if age < joined(rank) else 0.0 for rank in range(len(CUSTOMERS))]
        weights[0] *= 2 if spike else 1
        return weights


def joined(rank: int) -> float:
    """How many days before the demo was made a customer came; every third was there from the beginning."""
    return 1000.0 if rank % 3 == 0 else 12.0 + rank * 53 % 340


def us(moment: datetime) -> int:
    """Unix microseconds."""
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _workday(day: datetime) -> datetime:
    """The day itself, or the Thursday before a weekend: what happens then is seen."""
    return day - timedelta(days=max(0, day.weekday() - 3))

"""The demo project (stub until its generator is in)."""

from datetime import datetime


def trickle(*, now: datetime) -> None:
    """Add what the demo product's users did since the last time."""

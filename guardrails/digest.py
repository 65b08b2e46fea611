"""The weekly digest: the answer, what moved, changes, budgets at risk, unpriced, unattributed; one line if nothing."""

from datetime import datetime


def queue_due(*, now: datetime) -> int:
    """Digests of projects whose Monday morning it is; how many were queued."""
    return 0

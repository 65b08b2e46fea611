"""Tables of text, printed as they come."""

import os
from collections.abc import Iterable, Sequence


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A titled table; numbers to the right, with the load of the machine at that moment."""
    cells = [tuple(map(_text, row)) for row in rows]
    widths = [max(len(line[n]) for line in [tuple(columns), *cells]) for n in range(len(columns))]
    print(f"\n{title} (load average {os.getloadavg()[0]:.1f})")
    for line in [tuple(columns), tuple("-" * width for width in widths), *cells]:
        print("  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]), flush=True)


def _text(value: object) -> str:
    return (
        f"{value:,.1f}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )


def quantile(ascending: Sequence[float], share: float) -> float:
    """The value below which `share` of the others lie, in milliseconds; nan of nothing."""
    if not ascending:
        return float("nan")
    return ascending[min(len(ascending) - 1, int(len(ascending) * share))] * 1000

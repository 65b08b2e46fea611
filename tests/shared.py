"""Real input beside the repository: recorded traffic, captures, pages. Absent on most machines."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared(path: str) -> Path:
    """The file or folder `path` of the shared data; skips the test, naming it, where it is absent."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"shared data absent: {path}")
    return found

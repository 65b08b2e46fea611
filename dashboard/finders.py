"""Lets collectstatic take Plotly's bundle from the pip package: no third-party file is committed here."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage

PREFIX = "plotly"
BUNDLE = "plotly.min.js"  # of the whole package_data folder (10 MB) only this is served


def bundle_folder() -> Path:
    """Where the pip package keeps its bundle; found without importing it (0.4 s)."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("The package plotly is not installed: run pip install -r requirements.txt.")
    return Path(spec.submodule_search_locations[0]) / "package_data"


class BundleFinder(BaseFinder):
    """Finds plotly/plotly.min.js and nothing else."""

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """The file's place, or an empty list."""
        if path != f"{PREFIX}/{BUNDLE}":
            return []
        found = str(bundle_folder() / BUNDLE)
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[tuple[str, Storage]]:
        """What collectstatic copies: one file, under its prefix."""
        storage = FileSystemStorage(location=bundle_folder())
        storage.prefix = PREFIX  # type: ignore[attr-defined]  # collectstatic reads it
        yield BUNDLE, storage

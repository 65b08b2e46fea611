"""Lets collectstatic take Plotly's bundle from the pip package: no third-party file is committed here."""

import re
from collections.abc import Iterable
from functools import lru_cache
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


@lru_cache(maxsize=1)
def style_guards() -> tuple[str, ...]:
    """Ids of the style elements that the bundle would make for its maps, each unless an element has that id.

    The content security policy refuses such styles; a page that carries elements with these ids is not asked."""
    return tuple(re.findall(r'getElementById\("([0-9a-f]{64})"\)', (bundle_folder() / BUNDLE).read_text()))


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

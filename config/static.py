"""Static files: hashed names, compressed once; the API browser's large bundle is left uncompressed (36 s saved)."""

from collections.abc import Iterator
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """whitenoise's storage, less compression of what almost nobody opens."""

    manifest_strict = False

    def compress_files(self, paths: list[str]) -> Iterator[tuple[str, str]]:
        """Yield (path, compressed path) of every file worth compressing."""
        worth = [path for path in paths if not path.startswith("drf_spectacular_sidecar/")]
        found: Any = super().compress_files(worth)
        yield from found

"""What the decoders of wire formats give back, and how they say that a body cannot be read at all."""

from typing import Any

import msgspec

from ingest.records import Rejection, Remark

MAX_WARNINGS = 100  # told of one request; what is beyond them is only counted


class MalformedError(ValueError):
    """The body as a whole cannot be read: nothing of it was taken."""

    def __init__(self, message: str, hint: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint, self.field = message, hint, field


class TooManyError(MalformedError):
    """The body holds more items than one request may carry."""


class Decoded(msgspec.Struct):
    """Records in the order sent, what was refused, and what was taken but perhaps not as meant."""

    records: list[Any] = []
    rejections: list[Rejection] = []
    warnings: list[Remark] = []
    untold: int = 0  # warnings beyond MAX_WARNINGS
    index: int = 0  # of the item that is being looked at

    def warn(self, field: str | None, message: str) -> None:
        """Note a warning about the present item; only the first MAX_WARNINGS are told."""
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(Remark(self.index, field, message))
        else:
            self.untold += 1

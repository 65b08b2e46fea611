"""One error shape for the whole HTTP API: `{"error": {"code", "message", "field", "hint"}}`."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response


class ApiError(Exception):
    """An answer other than success: says what was wrong, where, and what to do."""

    def __init__(
        self, status: int, code: str, message: str, *, field: str | None = None, hint: str | None = None,
        retry_after: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.field, self.hint, self.retry_after = field, hint, retry_after

    def body(self) -> dict[str, Any]:
        """The JSON that a client gets."""
        return {"error": {"code": self.code, "message": self.message, "field": self.field, "hint": self.hint}}


def as_response(problem: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every refusal in the one shape. None lets Django answer (a bug, 500)."""
    error = _translated(problem)
    if error is None:
        return None
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(error.body(), status=error.status, headers=headers)


def _translated(problem: Exception) -> ApiError | None:
    if isinstance(problem, ApiError):
        return problem
    if isinstance(problem, Http404):
        return ApiError(404, "not_found", "There is nothing here.", hint="Check the id and the key's project.")
    if isinstance(problem, PermissionDenied):
        return ApiError(403, "forbidden", "This key may not do that.", hint="Use a key with the scope it needs.")
    if isinstance(problem, exceptions.Throttled):
        return ApiError(429, "throttled", "Too many requests.", retry_after=int(problem.wait or 1))
    if isinstance(problem, exceptions.APIException):
        return ApiError(problem.status_code, str(problem.default_code), str(problem.detail))
    return None

"""One error shape for the whole HTTP API: `{"error": {"code", "message", "field", "hint"}}`."""

from collections.abc import Callable
from math import ceil
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import page_not_found
from rest_framework import exceptions
from rest_framework.response import Response


class ApiError(Exception):
    """An answer other than success: says what was wrong, where, and what to do."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        hint: str | None = None,
        retry_after: int | None = None,
    ) -> None:
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


API_PREFIXES = ("/v1/", "/api/", "/opik/")


def no_such_address(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 404: in the shape of the API under its addresses, a page elsewhere."""
    if not request.path.startswith(API_PREFIXES):
        return page_not_found(request, exception)
    hint = "GET /v1/schema lists the addresses."
    error = ApiError(404, "not_found", "There is nothing at this address.", hint=hint)
    return JsonResponse(error.body(), status=404)


def _not_found(_: Exception) -> ApiError:
    return ApiError(404, "not_found", "There is nothing here.", hint="Check the id and the key's project.")


def _forbidden(_: Exception) -> ApiError:
    return ApiError(403, "forbidden", "This key may not do that.", hint="Use a key with the scope it needs.")


def _no_database(_: Exception) -> ApiError:
    hint = "Send the same request again later."
    return ApiError(503, "database_unavailable", "The database does not answer.", hint=hint, retry_after=5)


def _throttled(problem: Any) -> ApiError:
    return ApiError(429, "throttled", "Too many requests.", retry_after=ceil(problem.wait or 1))


def _invalid(problem: Any) -> ApiError:
    """The first of DRF's complaints: a dict of lists by field, or a list."""
    field, detail = None, problem.detail
    while isinstance(detail, dict | list) and detail:
        if isinstance(detail, dict):
            field, detail = next(iter(detail.items()))
        else:
            detail = detail[0]
    return ApiError(400, "invalid", str(detail), field=field)


def _of_drf(problem: Any) -> ApiError:
    return ApiError(problem.status_code, str(problem.default_code), str(problem.detail))


# The first that fits: a kind stands before the kind that includes it.
_TRANSLATIONS: tuple[tuple[type[Exception], Callable[[Any], ApiError]], ...] = (
    (ApiError, lambda problem: problem),
    (Http404, _not_found),
    (PermissionDenied, _forbidden),
    (OperationalError, _no_database),
    (InterfaceError, _no_database),
    (exceptions.Throttled, _throttled),
    (exceptions.ValidationError, _invalid),
    (exceptions.APIException, _of_drf),
)


def _translated(problem: Exception) -> ApiError | None:
    return next((say(problem) for kind, say in _TRANSLATIONS if isinstance(problem, kind)), None)

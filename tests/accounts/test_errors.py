"""Errors: whatever an API view raises, the client gets one shape."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions

from accounts.errors import ApiError, as_response


@pytest.mark.parametrize(
    ("problem", "status", "code", "field"),
    [
        (ApiError(409, "taken", "It is there.", field="name"), 409, "taken", "name"),
        (Http404(), 404, "not_found", None),
        (PermissionDenied(), 403, "forbidden", None),
        (OperationalError("server closed"), 503, "database_unavailable", None),
        (exceptions.Throttled(wait=1.2), 429, "throttled", None),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed", None),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type", None),
        (exceptions.ValidationError({"limit": ["Too large."]}), 400, "invalid", "limit"),
        (exceptions.ValidationError(["Bad."]), 400, "invalid", None),
    ],
)
def test_every_refusal_has_the_one_shape(problem, status, code, field):
    response = as_response(problem, {})
    assert response is not None
    assert response.status_code == status
    assert set(response.data) == {"error"}
    assert set(response.data["error"]) == {"code", "message", "field", "hint"}
    assert (response.data["error"]["code"], response.data["error"]["field"]) == (code, field)
    assert response.data["error"]["message"].endswith(".")


def test_what_may_be_tried_again_says_when():
    for problem, seconds in ((OperationalError(), "5"), (exceptions.Throttled(wait=1.2), "2")):
        response = as_response(problem, {})
        assert response is not None
        assert response["Retry-After"] == seconds


def test_a_bug_is_left_to_django():
    assert as_response(KeyError("x"), {}) is None

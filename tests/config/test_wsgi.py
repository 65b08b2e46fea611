"""Programs and pages: two lists of middleware, the same answers."""

from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory

from config import wsgi

ASKED = (
    ("POST", "/v1/events"), ("GET", "/v1/events"), ("GET", "/v1/query"), ("POST", "/v1/traces"), ("GET", "/v1/nothing"),
    ("GET", "/opik/nothing"), ("GET", "/api/public/nothing"),
)  # fmt: skip


def ask(handler: Any, method: str, path: str, **headers: Any) -> tuple[str, dict[str, str], bytes]:
    """(status, headers, body) of the answer to a request with a body of two bytes."""
    environ = RequestFactory().generic(method, path, b"{}", "application/json", **headers).environ
    environ["wsgi.input"] = BytesIO(b"{}")
    told: list[Any] = []
    answer = handler(environ, lambda status, headers: told.extend((status, dict(headers))))
    body = b"".join(answer)
    answer.close()
    return told[0], told[1], body


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), ASKED)
@pytest.mark.parametrize(
    "headers", [{}, {"HTTP_AUTHORIZATION": "Bearer wrong"}, {"HTTP_HOST": "elsewhere.example"}]
)
def test_programs_get_the_answer_that_the_long_list_would_give(method, path, headers):
    assert ask(wsgi.programs, method, path, **headers) == ask(wsgi.pages, method, path, **headers)


@pytest.mark.parametrize(
    "path", ["/v1/events", "/v1/query", "/opik/api/v1/private/spans/batch", "/api/public/scores"]
)
def test_requests_with_a_key_take_the_short_list(path):
    assert wsgi.is_for_programs(path)


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/docs", "/v1/schema", "/accounts/login/", "/healthz", "/api/", ""]
)
def test_everything_else_takes_the_long_list(path):
    assert not wsgi.is_for_programs(path)


def test_the_short_list_is_part_of_the_long_one_and_has_no_session():
    places = [settings.MIDDLEWARE.index(name) for name in settings.API_MIDDLEWARE]
    assert places == sorted(places)
    assert not any("session" in name.lower() or "auth" in name.lower() for name in settings.API_MIDDLEWARE)


def test_making_the_short_handler_leaves_the_long_list_as_it_is():
    assert len(settings.MIDDLEWARE) > len(settings.API_MIDDLEWARE)
    wsgi.ApiHandler()
    assert len(settings.MIDDLEWARE) > len(settings.API_MIDDLEWARE)

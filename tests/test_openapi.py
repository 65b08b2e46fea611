"""The OpenAPI document holds: requests made from it, good and bad, are answered as it says, and never by a 5xx."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from accounts.keys import create_key
from accounts.models import Project

pytestmark = pytest.mark.django_db
# The valid key replaces what bad requests would send; and a document cannot say all of what is good or bad.
UNTOLD = ("ignored_auth", "positive_data_acceptance", "negative_data_rejection")
EXAMPLES = 200 if "FUZZ" in os.environ else 8


@pytest.fixture
def document() -> Iterator[Any]:
    cache.clear()
    # The test's transaction is on the connection that a request's end would close.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/v1/schema", get_wsgi_application())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def headers(db) -> dict[str, str]:
    project = Project.objects.create(slug="schema", name="Schema")
    _, secret = create_key(project=project, scopes=["ingest", "read", "guard", "admin"])
    return {"Authorization": f"Bearer {secret}"}


def ask(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    """Requests of one operation; raises what the first wrong answer is."""

    load_all_checks()
    excluded = CHECKS.get_by_names(UNTOLD)

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def go(case: Any) -> None:
        response = case.call(headers=headers)
        assert response.status_code < 500, response.text
        if response.status_code == 404 and "html" in str(response.headers.get("content-type")):
            return  # a name that is no part of an address, for instance with a slash: a page says that nothing is there
        case.validate_response(response, excluded_checks=excluded)

    go()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["good", "bad"])
def test_requests_made_from_the_document_are_answered_as_it_says(document, headers, mode):
    wrong = []
    operations = [result.ok() for result in document.get_all_operations()]
    assert len(operations) >= 5
    for operation in operations:
        try:
            ask(operation, mode, headers)
        except Unsatisfiable:
            if (
                mode is not GenerationMode.NEGATIVE
            ):  # nothing of such an operation can be wrong: it takes no words
                raise
        except BaseException as problem:  # a group of failures; all operations are told at once
            if isinstance(problem, KeyboardInterrupt):
                raise
            wrong.append(f"{operation.label}: {type(problem).__name__}: {str(problem)[:600]}")
    assert not wrong, "\n\n".join(wrong)

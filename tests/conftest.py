"""What every test may use."""

import pytest
from django.db import connection

from analytics import load, pricebook

RAW_TABLES = (
    "call, sighting, run, span, content, series, name, tag_set, usage, usage_day, customer_bucket, customer_day, "
    "run_bucket, run_day, audience_day, exemplar, dirty_day, waiting_flow, lane, heartbeat, intake, inbox, inbox_dead, "
    "usage_coarse, usage_coarse_day, usage_coarse_month, run_coarse, run_coarse_day, run_coarse_month, "
    "customer_coarse_day, customer_coarse_month, "
    "score, scorer, outcome, score_bucket, score_day, sign_bucket, sign_day"
)


def pytest_report_header(config: pytest.Config) -> str:
    from django.conf import settings  # noqa: PLC0415 - not before pytest-django has chosen the settings

    database = settings.DATABASES["default"]
    return f"database: {database['NAME']} on {database.get('HOST') or 'localhost'}"


@pytest.fixture(autouse=True)
def _nothing_remembered():
    """A test's transaction is rolled back: what the loader remembers of it is not so."""
    yield
    load.forget()


@pytest.fixture(autouse=True)
def _nothing_left(request, django_db_blocker):
    """Django empties its models after a test that committed; the ledger's tables and the price book are ours."""
    yield
    marker = request.node.get_closest_marker("django_db")
    committed = {"transactional_db", "live_server"} & set(request.fixturenames)
    if committed or (marker and marker.kwargs.get("transaction")):
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {RAW_TABLES}")
            pricebook.sync()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The price book is in every test's database, as after a first start."""
    with django_db_blocker.unblock():
        pricebook.sync()

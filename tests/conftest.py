"""What every test may use."""

import pytest

from analytics import load, pricebook


def pytest_report_header(config: pytest.Config) -> str:
    from django.conf import settings  # noqa: PLC0415 - not before pytest-django has chosen the settings

    database = settings.DATABASES["default"]
    return f"database: {database['NAME']} on {database.get('HOST') or 'localhost'}"


@pytest.fixture(autouse=True)
def _nothing_remembered():
    """A test's transaction is rolled back: what the loader remembers of it is not so."""
    yield
    load.forget()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The price book is in every test's database, as after a first start."""
    with django_db_blocker.unblock():
        pricebook.sync()

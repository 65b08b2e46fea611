"""What every test may use."""

import pytest


def pytest_report_header(config: pytest.Config) -> str:
    from django.conf import settings  # noqa: PLC0415 - not before pytest-django has chosen the settings

    database = settings.DATABASES["default"]
    return f"database: {database['NAME']} on {database.get('HOST') or 'localhost'}"

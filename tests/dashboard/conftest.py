"""A project with two months of calls, and the four who may look at it or not."""

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.dashboard import desk


@pytest.fixture
def people(db) -> dict[str, User]:
    cache.clear()  # what pages remember for a minute is of another test's project
    return desk.members()


@pytest.fixture
def project(people):
    return desk.desk(people)


@pytest.fixture
def filled(project):
    """The project with its calls loaded."""
    desk.fill(project)
    return project


@pytest.fixture
def signed_in(people):
    """Makes a client of one of the four."""

    def make(role: str) -> Client:
        client = Client()
        client.force_login(people[role], backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return make

"""The first start makes one administrator, and later starts leave accounts alone."""

import pytest

from accounts.administrator import BadAddressError, ensure_administrator
from accounts.models import AuditLine, User
from tests.personas import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def test_without_a_password_one_is_made_and_told_once():
    user, password = ensure_administrator(email="Admin@localhost.localdomain")
    assert user.is_admin
    assert user.email == "admin@localhost.localdomain"
    assert password
    assert len(password) == 16
    assert user.check_password(password)
    assert ensure_administrator(email="other@example.com", password="x") == (user, None)
    assert User.objects.count() == 1
    assert AuditLine.objects.get().action == "administrator.made"


def test_a_given_password_is_used():
    user, password = ensure_administrator(email="a@example.com", password="given")
    assert password == "given"
    assert user.check_password("given")


def test_an_account_that_exists_keeps_its_password():
    known = make_user("ann@example.com")
    assert ensure_administrator(email="ann@example.com", password="x") == (known, None)
    known.refresh_from_db()
    assert known.is_admin
    assert known.check_password(PASSWORD)


@pytest.mark.parametrize("email", ["", "admin", "admin@localhost\n.x"])
def test_a_bad_address_is_told(email):
    with pytest.raises(BadAddressError, match="name@example"):
        ensure_administrator(email=email)

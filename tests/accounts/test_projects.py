"""Projects: slugs, what may be set, and the audit line of each change."""

from datetime import UTC, datetime

import pytest

from accounts.models import AuditLine, Project
from accounts.projects import BadValueError, change_project, create_project
from tests.personas import make_member, make_project, make_user

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme Support", "acme-support"),
        ("  Crème brûlée! ", "creme-brulee"),
        ("支持", "project"),
        ("API", "api-2"),
    ],
)
def test_the_slug_comes_from_the_name(name, slug):
    assert create_project(name=name).slug == slug


def test_a_taken_slug_gets_a_number():
    assert [create_project(name="Acme").slug for _ in range(3)] == ["acme", "acme-2", "acme-3"]


def test_a_long_name_still_has_room_for_a_number():
    slugs = [create_project(name="n" * 100).slug for _ in range(2)]
    assert slugs == ["n" * 50, "n" * 50 + "-2"]


def test_a_slug_that_is_asked_for_must_be_free():
    assert create_project(name="Default", slug="default").slug == "default"
    with pytest.raises(BadValueError, match="taken"):
        create_project(name="Default", slug="default")


def test_a_project_is_utc_usd_and_production_unless_told():
    project = create_project(name="Acme")
    assert (project.zone, project.currency, project.main_environment) == ("UTC", "USD", "production")


def test_its_owners_and_its_audit_come_with_it():
    owner = make_user()
    project = create_project(name="Acme", zone="Asia/Kolkata", currency="eur", owners=[owner], by=owner)
    assert [(member.user, member.role) for member in project.members.all()] == [(owner, "owner")]
    lines = AuditLine.objects.filter(project=project).order_by("id")
    assert [(line.action, line.actor) for line in lines] == [
        ("project.created", owner.email),
        ("member.added", owner.email),
    ]
    assert lines[0].details == {"name": "Acme", "zone": "Asia/Kolkata", "currency": "EUR"}


@pytest.mark.parametrize(
    ("fields", "field", "hint"),
    [
        ({"name": ""}, "name", "1 to 100"),
        ({"name": "  "}, "name", "1 to 100"),
        ({"name": "a\0b"}, "name", "1 to 100"),
        ({"name": "a\nb"}, "name", "1 to 100"),
        ({"name": "\ud800"}, "name", "1 to 100"),
        ({"name": "n" * 101}, "name", "1 to 100"),
        ({"zone": "Berlin"}, "zone", "Europe/Berlin"),
        ({"zone": "../etc/passwd"}, "zone", "name like"),
        ({"currency": "XXX"}, "currency", "ISO 4217"),
        ({"currency": "€"}, "currency", "ISO 4217"),
    ],
)
def test_what_cannot_be_used_names_field_and_remedy(fields, field, hint):
    with pytest.raises(BadValueError) as refused:
        create_project(**{"name": "Acme"} | fields)
    assert refused.value.field == field
    assert hint in refused.value.hint
    assert not Project.objects.exists()


def test_each_changed_setting_leaves_a_line_with_before_and_after():
    owner = make_member(make_project("Acme"), "owner")
    project = owner.project
    changes = {"name": "Acme 2", "currency": "EUR", "main_environment": "production", "keep_content": True}
    assert change_project(project=project, changes=changes, by=owner.user, now=NOON) == [
        "name", "currency", "keep_content",
    ]  # fmt: skip
    lines = AuditLine.objects.filter(project=project, details__has_key="before").order_by("id")
    assert [(line.action, line.details["before"], line.details["after"]) for line in lines] == [
        ("project.renamed", "Acme", "Acme 2"),
        ("project.currency_changed", "USD", "EUR"),
        ("project.content_changed", False, True),
    ]
    assert (project.name, project.slug) == ("Acme 2", "acme")


def test_one_bad_value_changes_nothing():
    project = make_project("Acme")
    with pytest.raises(BadValueError, match="currency"):
        change_project(project=project, changes={"name": "New", "currency": "gold"}, by=None, now=NOON)
    project.refresh_from_db()
    assert project.name == "Acme"
    assert not AuditLine.objects.filter(action="project.renamed").exists()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("slug", "new"),
        ("is_demo", True),
        ("keep_content", "yes"),
        ("redactions", [{"pattern": "("}]),
        ("tracked_tags", [str(number) for number in range(9)]),
        ("tracked_tags", [""]),
        ("main_environment", ""),
    ],
)
def test_a_setting_that_cannot_be_changed_so_is_refused(setting, value):
    with pytest.raises(BadValueError):
        change_project(project=make_project(), changes={setting: value}, by=None, now=NOON)


def test_a_new_zone_applies_from_the_next_midnight_there():
    project = make_project()
    change_project(project=project, changes={"zone": "Asia/Kolkata"}, by=None, now=NOON)
    assert project.zone == "Asia/Kolkata"
    assert project.earlier_zones == [{"zone": "UTC", "until": "2026-11-25T00:00:00+05:30"}]


def test_changing_the_zone_twice_a_day_forgets_the_one_that_never_applied():
    project = make_project()
    for zone in ("Asia/Kolkata", "Europe/Berlin"):
        change_project(project=project, changes={"zone": zone}, by=None, now=NOON)
    assert project.earlier_zones == [{"zone": "UTC", "until": "2026-11-25T00:00:00+01:00"}]

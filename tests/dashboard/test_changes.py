"""The change ledger's pages: list, one change, declaring by hand, markers; who may, hostile names, nothing there."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditLine
from analytics.changes_models import Change
from analytics.changes_notice import notice_in
from analytics.effects_store import measure
from analytics.periods import Period
from dashboard.markers import add_markers, markers_for
from ingest import inbox
from ingest.records import CallRecord, Tokens
from tests.dashboard import desk

pytestmark = pytest.mark.django_db
HOSTILE = "<img src=x onerror=alert(1)>"


def version_calls(now, *, hours_ago, version, count, flow="triage"):
    start = int((now - timedelta(hours=hours_ago)).timestamp() * 1e6)
    for number in range(count):
        yield CallRecord(
            id=f"{version}-{number}-{flow}", started_us=start + number * 1_000_000, flow=flow, feature="Support",
            provider="openai", model="gpt-4.1", prompt="triage", prompt_version=version,
            tokens=Tokens(input=1000, output=50), duration_us=700_000,
        )  # fmt: skip


@pytest.fixture
def changed(project):
    """Prompt v1, then v2 an hour ago."""
    now = timezone.now()
    found = [
        *version_calls(now, hours_ago=5, version="v1", count=5),
        *version_calls(now, hours_ago=1, version="v2", count=5),
    ]
    inbox.put(found, kind=inbox.Kind.CALLS, sender=inbox.Sender(project.pk), now=now)
    desk.load()
    notice_in(project, now=now)
    cache.clear()
    return project


def address(project, name="changes", *args, **query):
    return reverse(name, args=[project.slug, *args], query=query or None)


def test_the_list_shows_what_was_noticed_and_that_it_was_not_evaluated(changed, signed_in):
    text = signed_in("viewer").get(address(changed, period="7d", compare="none")).content.decode()
    assert "No change in this period" in text  # the seven days before today
    text = signed_in("viewer").get(
        address(changed, **{"from": str(timezone.now().date() - timedelta(days=1))})
    )
    text = text.content.decode()
    assert "triage v1 → v2" in text
    assert "not evaluated before" in text
    assert "noticed" in text
    assert "Record a change" not in text  # a viewer cannot


def test_one_change_says_what_it_did_or_that_it_is_too_early(changed, signed_in):
    change = Change.objects.get()
    answer = signed_in("viewer").get(address(changed, "change", change.pk))
    text = answer.content.decode()
    assert "triage v1 → v2" in text
    assert "too few" in text.lower()
    assert "Cost per run" in text
    assert "under 100 runs on a side" in text


def test_recent_changes_stand_on_overview_with_what_they_did(changed, signed_in):
    assert measure(now=timezone.now()) == 1
    text = signed_in("viewer").get(address(changed, "overview", period="today")).content.decode()
    assert "Recent changes" in text
    assert "too early" in text


def test_filters_keep_to_kind_who_and_flow(changed, signed_in):
    client, start = signed_in("viewer"), str(timezone.now().date() - timedelta(days=1))
    for query, found in (
        ({"kind": "prompt"}, True),
        ({"kind": "model"}, False),
        ({"who": "noticed"}, True),
        ({"who": "declared"}, False),
        ({"flow": "triage"}, True),
        ({"flow": "other"}, False),
    ):
        text = client.get(address(changed, **{"from": start, **query})).content.decode()
        assert ("triage v1 → v2" in text) is found, query
        assert ("These filters leave nothing of 1 changes" in text) is not found, query
    for query in ({"kind": "nonsense"}, {"who": "me"}, {"after": "zzz"}):
        assert client.get(address(changed, **query)).status_code == 422


FORM = {"kind": "deploy", "flow": "triage, answer", "after": "web@4.3.1", "note": "new queue", "at": ""}


def test_declared_by_hand_edited_and_deleted_with_lines_in_the_audit_log(project, signed_in):
    client = signed_in("editor")
    client.post(address(project, "change_declare"), FORM)
    change = Change.objects.get()
    assert (change.kind, change.after, change.by, change.noticed) == ("deploy", "web@4.3.1", "Editor", False)
    assert sorted(change.on_flows.values_list("name", flat=True)) == ["answer", "triage"]
    client.post(address(project, "change_edit", change.pk), {**FORM, "note": "newer queue"})
    change.refresh_from_db()
    assert change.note == "newer queue"
    client.post(address(project, "change_delete", change.pk))
    assert not Change.objects.exists()
    lines = AuditLine.objects.filter(project=project, action__startswith="change.").order_by("id")
    actions = [line.action for line in lines]
    assert actions == ["change.edited", "change.deleted"]


def test_what_cannot_be_a_change_is_said_on_the_page(project, signed_in):
    client = signed_in("editor")
    later = f"{timezone.now() + timedelta(days=3):%Y-%m-%dT%H:%M}"
    for given, says in (
        ({**FORM, "at": later}, "lies in the future"),
        ({**FORM, "at": "soon"}, "is no time"),
        ({**FORM, "link": "javascript:alert(1)"}, "A link begins with"),
    ):
        answer = client.post(address(project, "change_declare"), given, follow=True)
        assert says in answer.content.decode()
    assert not Change.objects.exists()


def test_the_time_of_the_form_is_of_the_projects_zone(project, signed_in):
    signed_in("editor").post(address(project, "change_declare"), {**FORM, "at": "2026-07-01T09:30"})
    assert Change.objects.get().at == datetime(2026, 7, 1, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 302), ("editor", 302), ("viewer", 403), ("stranger", 404)]
)
def test_who_may_change_what(changed, signed_in, role, status):
    declared = Change.objects.create(project=changed, kind="deploy", after="x", at=timezone.now(), by="Ana")
    client = signed_in(role)
    assert client.get(address(changed, "change", declared.pk)).status_code == (
        404 if role == "stranger" else 200
    )
    for name, args in (
        ("change_declare", ()),
        ("change_edit", (declared.pk,)),
        ("change_delete", (declared.pk,)),
    ):
        assert client.post(address(changed, name, *args), FORM).status_code == status, name
        if name != "change_declare":
            assert client.get(address(changed, name, *args)).status_code == 405


def test_what_was_noticed_or_is_anothers_cannot_be_edited(changed, project, people, signed_in):
    noticed = Change.objects.get(project=changed)
    client = signed_in("owner")
    assert client.post(address(changed, "change_edit", noticed.pk), FORM).status_code == 404
    assert client.post(address(changed, "change_delete", noticed.pk)).status_code == 404
    assert signed_in("stranger").get(f"/p/elsewhere/changes/{noticed.pk}").status_code == 404
    assert client.get(address(changed, "change", 9_223_372_036_854_775_808)).status_code == 404


def test_hostile_names_stay_text(project, signed_in):
    Change.objects.create(project=project, kind="deploy", before=HOSTILE, after=HOSTILE, at=timezone.now(), by=HOSTILE,
                          note=HOSTILE)  # fmt: skip
    client = signed_in("editor")
    for path in (address(project, period="today"), address(project, "change", Change.objects.get().pk)):
        text = client.get(path).content.decode()
        assert HOSTILE not in text
        assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_an_empty_ledger_says_what_will_be_in_it(project, signed_in):
    text = signed_in("viewer").get(address(project)).content.decode()
    assert "No change was noticed or declared yet." in text


def test_charts_carry_the_letters_and_the_list_repeats_them(changed, signed_in):
    text = (
        signed_in("viewer").get(address(changed, "explore", period="today", group_by="flow")).content.decode()
    )
    assert "plotly" in text
    assert 'class="letter-box">A<' in text
    assert '"text": "A"' in text


def marked(project, *moments):
    for at in moments:
        Change.objects.create(project=project, kind="deploy", after=f"<b>{at:%d}</b>", at=at, by="Ana")
    period = Period(
        start=datetime(2026, 11, 1, tzinfo=UTC), end=datetime(2026, 11, 25, tzinfo=UTC), zone="Europe/Berlin"
    )
    return markers_for(project, (), period), period


def test_markers_stand_at_their_exact_time_and_near_ones_share_a_box(project):
    moments = [
        datetime(2026, 11, day, 8, minute, tzinfo=UTC) for day, minute in ((10, 30), (10, 40), (20, 0))
    ]
    found, period = marked(project, *moments)
    assert [one.letter for one in found] == ["A", "B", "C"]
    figure = {"data": [], "layout": {"margin": {"l": 5, "t": 12}, "annotations": [{"text": "kept"}]}}
    layout = add_markers(figure, found, period=period)["layout"]
    assert [shape["x0"] for shape in layout["shapes"]] == [
        "2026-11-10 09:30",
        "2026-11-10 09:40",
        "2026-11-20 09:00",
    ]
    assert {(shape["yref"], shape["y0"], shape["y1"]) for shape in layout["shapes"]} == {("paper", 0, 1)}
    kept, first, second = layout["annotations"]
    assert (kept["text"], first["text"], second["text"]) == ("kept", "A +1", "C")
    assert "&lt;b&gt;10&lt;/b&gt;" in first["hovertext"]
    assert first["name"] == address(project, "change", found[0].line.id)
    assert figure["layout"]["margin"]["t"] == 12  # the given figure is left as it was
    assert add_markers(figure, [], period=period) is figure


def test_there_are_no_more_letters_than_the_alphabet_has(project):
    moments = [datetime(2026, 11, 1, 10, tzinfo=UTC) + timedelta(hours=9 * number) for number in range(30)]
    found, _ = marked(project, *moments)
    assert len(found) == 26
    assert (found[0].letter, found[0].at, found[-1].letter) == ("A", moments[4], "Z")

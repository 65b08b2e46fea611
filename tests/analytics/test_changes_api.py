"""Declaring and listing changes by API: once each, refused in words, absorbed by what calls tell."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from analytics.changes_models import Change, ChangeFlow
from analytics.changes_notice import notice_in
from analytics.effects_store import measure
from tests.analytics.ledger import call, load, send
from tests.personas import bearer, make_key, make_project

pytestmark = pytest.mark.django_db
URL = "/v1/changes"
PROMPT = {"kind": "prompt", "flow": "support-triage", "before": "v11", "after": "v12", "by": "Ana Ruiz"}


@pytest.fixture
def project(db):
    return make_project()


@pytest.fixture
def key(project):
    return bearer(make_key(project, "ingest", "read"))


def post(client, key, body):
    return client.post(URL, body, content_type="application/json", headers=key)


def listed(client, key, query=""):
    answer = client.get(f"{URL}?{query}", headers=key)
    assert answer.status_code == 200, answer.content
    return answer.json()["changes"]


def calls_of(project, *records):
    send(project, records, now=timezone.now())
    load(project, now=timezone.now())
    notice_in(project, now=timezone.now())


def us(moment):
    return int(moment.timestamp() * 1e6)


def test_one_a_list_and_a_batch_are_taken_and_listed_newest_first(client, key):
    assert post(client, key, {**PROMPT, "at": "2026-11-10T09:30:00+01:00"}).json()["accepted"] == 1
    assert post(client, key, [{**PROMPT, "after": "v13", "at": "2026-11-11T09:30:00Z"}]).status_code == 202
    batch = {
        "changes": [
            {"kind": "deploy", "after": "web@4", "at": "2026-11-12T09:30:00Z"},
            {"kind": "judge", "flows": ["a", "b"], "note": "stricter", "at": "2026-11-09T09:30:00Z"},
        ]
    }
    assert post(client, key, batch).json()["accepted"] == 2
    found = listed(client, key)
    assert [one["kind"] for one in found] == ["deploy", "prompt", "prompt", "judge"]
    assert found[2] | {"id": "", "recorded_at": ""} == {
        "id": "", "kind": "prompt", "flow": "support-triage", "flows": ["support-triage"], "environment": None,
        "subject": None, "before": "v11", "after": "v12", "at": "2026-11-10T08:30:00+00:00", "by": "Ana Ruiz",
        "noticed": False, "link": None, "note": None, "first_call_at": None, "seen": {},
        "not_evaluated_before": False, "recorded_at": "",
    }  # fmt: skip
    one = client.get(f"{URL}/{found[2]['id']}", headers=key)
    assert one.json() == found[2]


def test_a_repeat_adds_nothing_and_the_same_id_replaces(client, key):
    at = {"at": "2026-11-10T09:30:00Z"}
    first, again = (post(client, key, PROMPT | at).json() for _ in range(2))
    assert first["ids"] == again["ids"]
    named = [
        post(client, key, {**PROMPT, **at, "id": "deploy-77", "note": note}).json()["ids"]
        for note in ("a", "b")
    ]
    assert named[0] == named[1] != first["ids"]
    assert sorted(one["note"] or "" for one in listed(client, key)) == ["", "b"]


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({"kind": "promt", "after": "x"}, "kind", "There is no kind 'promt'"),
        ({"kind": "prompt"}, "after", "does not say what changed"),
        ({"kind": "prompt", "after": "v2", "at": "yesterday"}, "at", "is no time"),
        ({"kind": "prompt", "after": "v2", "at": "2026-11-10T09:30:00"}, "at", "is no time"),
        ({"kind": "prompt", "after": "v2", "at": "0001-01-01T00:00:00+14:00"}, "at", "is no time"),
        ({"kind": "prompt", "after": "v2", "flow": 7}, "flow", "flow is a name"),
        ({"kind": "prompt", "after": {"a": 1}}, "after", "is no text"),
        ({"kind": "prompt", "after": "v2", "link": "javascript:alert(1)"}, "link", "begins with https://"),
        ({"kind": "prompt", "after": "x" * 401}, "after", "longer than 400"),
        (7, None, "A change is an object"),
    ],
)
def test_what_is_wrong_is_said_with_its_field(client, key, body, field, says):
    answer = post(client, key, [body])
    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (400, field)
    assert says in error["message"]
    assert error["hint"]


def test_a_change_in_the_future_is_refused_and_one_within_the_hour_is_taken(client, key):
    now = timezone.now()
    late = post(client, key, {**PROMPT, "at": (now + timedelta(hours=2)).isoformat()})
    assert late.status_code == 400
    assert "lies in the future" in late.json()["error"]["message"]
    assert post(client, key, {**PROMPT, "at": (now + timedelta(minutes=50)).isoformat()}).status_code == 202


def test_good_items_are_kept_whatever_the_others_are(client, key):
    answer = post(client, key, [PROMPT, {"kind": "nonsense"}, {**PROMPT, "after": "v13"}])
    assert answer.status_code == 202
    assert (answer.json()["accepted"], [one["index"] for one in answer.json()["rejected"]]) == (2, [1])


@pytest.mark.parametrize(
    "body", ["", "nonsense", "[]", '{"changes": 7}', '{"changes": []}', "null", "[" * 5000]
)
def test_a_body_that_is_none_is_a_400(client, key, body):
    answer = post(client, key, body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "malformed"


def test_hostile_names_come_back_as_text(client, key):
    sent = '{"kind": "prompt", "flow": "<script>\\u0000</script>", "after": "=cmd()"}'
    assert post(client, key, sent).status_code == 202
    assert listed(client, key)[0]["flow"] == "<script>\ufffd</script>"


def test_filters_and_pages(client, key):
    for hour in range(5):
        post(client, key, {**PROMPT, "after": f"v{hour}", "at": f"2026-11-10T0{hour}:00:00Z"})
    post(client, key, {"kind": "release", "after": "web@1", "at": "2026-11-11T00:00:00Z"})
    post(client, key, {"kind": "model", "flow": "other", "after": "m", "at": "2026-11-12T00:00:00Z"})
    assert [one["after"] for one in listed(client, key, "flow=other")] == ["m", "web@1"]
    assert [one["after"] for one in listed(client, key, "kind=release&kind=model")] == ["m", "web@1"]
    assert [one["after"] for one in listed(client, key, "from=2026-11-11&to=2026-11-12")] == ["web@1"]
    assert listed(client, key, "who=noticed") == []
    seen, cursor = [], ""
    while cursor is not None:
        body = client.get(f"{URL}?limit=2&cursor={cursor}", headers=key).json()
        seen += [one["after"] for one in body["changes"]]
        cursor = body["next"]
    assert seen == ["m", "web@1", "v4", "v3", "v2", "v1", "v0"]


@pytest.mark.parametrize(
    "query", ["kind=x", "who=me", "limit=0", "cursor=zzz", "from=nonsense", "period=nie", "flow=%00"]
)
def test_a_question_that_makes_no_sense_is_a_422(client, key, query):
    assert client.get(f"{URL}?{query}", headers=key).status_code == 422


def test_scopes_and_projects_keep_apart(client, project, key):
    number = post(client, key, PROMPT).json()["ids"][0]
    other = make_project("Other")
    stranger = bearer(make_key(other, "ingest", "read"))
    assert listed(client, stranger) == []
    assert client.get(f"{URL}/{number}", headers=stranger).status_code == 404
    only_read, only_ingest = (bearer(make_key(project, scope)) for scope in ("read", "ingest"))
    assert post(client, only_read, PROMPT).status_code == 403
    assert client.get(URL, headers=only_ingest).status_code == 403
    assert client.get(URL).status_code == 401
    assert client.post(URL, PROMPT, content_type="application/json").status_code == 401


def test_what_was_declared_absorbs_what_is_noticed_before_or_after(client, project, key):
    now = timezone.now()
    moments = [us(now - timedelta(hours=hours)) for hours in (9, 4, 2)]
    first, second, third = (call(n, started_us=at, prompt="triage", prompt_version=f"v{n}")
                            for n, at in zip((11, 12, 13), moments, strict=True))  # fmt: skip
    post(client, key, {**PROMPT, "after": "12", "at": (now - timedelta(hours=5)).isoformat()})
    calls_of(project, first, second, third)
    found = listed(client, key)
    assert [(one["after"], one["noticed"]) for one in found] == [("v13", True), ("12", False)]
    assert found[1]["first_call_at"] == datetime.fromtimestamp(moments[1] / 1e6, UTC).isoformat()
    post(client, key, {"kind": "prompt", "after": "triage v13", "at": (now - timedelta(hours=3)).isoformat()})
    found = listed(client, key)
    assert [(one["after"], one["noticed"], one["before"], one["flows"]) for one in found] == [
        ("triage v13", False, "v12", []),
        ("12", False, "v11", ["support-triage"]),
    ]
    assert set(found[0]["seen"]) == {"support-triage"}
    assert Change.objects.count() == 2
    assert ChangeFlow.objects.count() == 2
    assert notice_in(project, now=now) == 0


def test_a_period_begins_with_a_change(client, project, key):
    now = timezone.now()
    moments = [us(now - timedelta(hours=hours)) for hours in (9, 4)]
    calls_of(project, *(call(n, started_us=at, prompt_version=f"v{n}") for n, at in enumerate(moments)))
    number = Change.objects.get().pk

    def asked(period, key=key):
        return client.get("/v1/query", {"measures": "calls", "period": period}, headers=key)

    assert asked(f"since:{number}").json()["totals"]["calls"] == 1
    stranger = bearer(make_key(make_project("Other"), "read"))
    assert asked(f"since:{number}", stranger).status_code == 422
    for period in ("since:", "since:x", "since:99999999999999999999", "since:0"):
        assert asked(period).json()["error"]["field"] == "period"


def test_suspects_are_the_clearest_effects_first_and_of_the_keys_project(client, project, key):
    chance = random.Random(3)
    now = timezone.now()
    records = []
    for n in range(160):
        old = n < 80
        at = now - timedelta(hours=2 * (160 - n))
        scores = [{"name": "resolved", "value": chance.random() < (0.9 if old else 0.4), "source": "user"},
                  {"name": "polite", "value": chance.random() < 0.5, "source": "user"}]  # fmt: skip
        records.append(call(n, started_us=us(at), prompt_version="v1" if old else "v2", scores=scores))
    calls_of(project, *records)
    assert measure(now=now) == 1
    body = client.get("/v1/quality/suspects", {"flow": "support-triage"}, headers=key).json()
    found = [(one["effect"]["measure"], one["effect"]["verdict"]) for one in body["suspects"]]
    assert found == [("score:resolved", "Worse"), ("score:polite", "No clear effect")]
    first = body["suspects"][0]
    assert first["change"]["after"] == "v2"
    assert first["effect"]["low"] < first["effect"]["difference"] < first["effect"]["high"] < 0
    every = client.get("/v1/quality/suspects", {"measures": "all"}, headers=key).json()["suspects"]
    assert "cost_per_run" in [one["effect"]["measure"] for one in every]
    assert client.get("/v1/quality/suspects", {"flow": "other"}, headers=key).json()["suspects"] == []
    stranger = bearer(make_key(make_project("Other"), "read"))
    assert client.get("/v1/quality/suspects", headers=stranger).json()["suspects"] == []
    assert client.get("/v1/quality/suspects", headers=bearer(make_key(project, "ingest"))).status_code == 403

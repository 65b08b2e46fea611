"""Keys: recognised from any client's header, refused in every process once revoked, never a 500."""

import base64
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import keys
from accounts.errors import ApiError
from accounts.key_cache import KeyCache, answers
from accounts.keys import (
    KeyAuthentication,
    asker,
    authenticate,
    create_key,
    digest,
    holder_of,
    requires,
    revoke_key,
)
from accounts.models import ApiKey, AuditLine, Project
from tests.personas import bearer, make_key, make_member, make_project

NOON = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)


class Ping(APIView):
    """Answers who asks; for keys that may send."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (requires("ingest"),)

    def get(self, request: Request) -> Response:
        return Response({"project": asker(request).project.slug})


def ping(**headers: str):
    response = Ping.as_view()(RequestFactory().get("/", headers=headers))
    response.render()
    return response


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.django_db
class TestRecognised:
    def test_bearer_x_api_key_and_basic_password_name_the_same_project(self):
        secret = make_key(make_project("Acme"), "ingest")
        for headers in (
            {"Authorization": f"Bearer {secret}"},
            {"Authorization": f"bearer  {secret} "},
            {"X-Api-Key": secret},
            {"Authorization": basic("pk-lf-anything", secret)},
            {"Authorization": "Basic !!!", "X-Api-Key": secret},
            {"Authorization": "Digest whatever", "X-Api-Key": secret},
        ):
            response = ping(**headers)
            assert (response.status_code, response.data) == (200, {"project": "acme"}), headers

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({}, "key_missing"),
            ({"Authorization": ""}, "key_missing"),
            ({"Authorization": "Bearer"}, "key_missing"),
            ({"Authorization": "Bearer \0"}, "key_invalid"),
            ({"Authorization": "Bearer \xff\xfe"}, "key_invalid"),
            ({"Authorization": "Bearer ключ"}, "key_invalid"),
            ({"Authorization": "Bearer \ud800"}, "key_invalid"),
            ({"Authorization": "Bearer " + "x" * 1_000_000}, "key_invalid"),
            ({"Authorization": "Bearer flk_live_" + "A" * 43}, "key_invalid"),
            ({"Authorization": "Bearer flk_live_" + "A" * 43 + "\n"}, "key_invalid"),
            ({"Authorization": "Basic"}, "key_missing"),
            ({"Authorization": "Basic ====", }, "key_missing"),
            ({"Authorization": "Basic \xff\xff"}, "key_missing"),
            ({"Authorization": "Basic " + base64.b64encode(b"\xff:\xfe").decode()}, "key_missing"),
            ({"Authorization": "Basic " + base64.b64encode(b"no colon").decode()}, "key_missing"),
            ({"Authorization": "Basic " + base64.b64encode(b"a:b").decode()}, "key_invalid"),
            ({"X-Api-Key": "\0\0"}, "key_invalid"),
        ],
    )  # fmt: skip
    def test_a_bad_header_is_401_in_the_one_shape(self, headers, code):
        response = ping(**headers)
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"
        assert set(response.data["error"]) == {"code", "message", "field", "hint"}
        assert response.data["error"]["code"] == code
        assert response.data["error"]["hint"]

    def test_a_key_without_the_scope_is_403_and_says_which(self):
        response = ping(**bearer(make_key(make_project(), "read", "admin")))
        assert response.status_code == 403
        assert response.data["error"]["code"] == "scope_missing"
        assert "ingest" in response.data["error"]["message"]

    def test_one_of_several_scopes_is_enough(self):
        permission = requires("admin", "read")()
        request: Any = RequestFactory().get("/")
        view: Any = None
        request.user = authenticate(_asks(make_key(make_project(), "read")))
        assert permission.has_permission(request, view)
        request.user = authenticate(_asks(make_key(make_project(), "ingest")))
        with pytest.raises(ApiError, match="lacks the scope admin"):
            permission.has_permission(request, view)

    def test_views_outside_drf_ask_for_a_scope_in_one_call(self):
        secret = make_key(make_project(), "ingest")
        assert authenticate(_asks(secret), scope="ingest").scopes == {"ingest"}
        with pytest.raises(ApiError) as refused:
            authenticate(_asks(secret), scope="read")
        assert refused.value.status == 403


def _asks(secret: str):
    return RequestFactory().get("/", headers=bearer(secret))


@pytest.mark.django_db
class TestMade:
    def test_only_the_hash_and_a_prefix_are_stored(self):
        row, secret = create_key(project=make_project(), scopes=["read"], name="ci")
        row.refresh_from_db()
        assert bytes(row.digest) == digest(secret)
        assert len(base64.urlsafe_b64decode(secret.removeprefix("flk_live_") + "=")) == 32
        assert secret.startswith(row.prefix)
        assert len(row.prefix) == 14
        stored = str(ApiKey.objects.filter(id=row.id).values())
        assert secret[14:] not in stored

    def test_making_and_revoking_leave_audit_lines(self):
        owner = make_member(make_project(), "owner")
        row, _ = create_key(project=owner.project, scopes=["read"], name="ci", by=owner.user)
        revoke_key(key=row, by=owner.user, now=NOON)
        lines = AuditLine.objects.filter(action__startswith="key.").order_by("id")
        assert [(line.action, line.actor, line.target) for line in lines] == [
            ("key.created", owner.user.email, row.prefix),
            ("key.revoked", owner.user.email, row.prefix),
        ]

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"scopes": []}, "at least one scope"),
            ({"scopes": ["ingest", "write"]}, "no such scope: write"),
            ({"expires_at": NOON - timedelta(days=900)}, "expires in the future"),
            ({"expires_at": datetime(2099, 1, 1)}, "with a zone"),  # noqa: DTZ001
            ({"name": "n" * 101}, "100 characters"),
        ],
    )
    def test_what_cannot_be_made_says_why(self, fields, message):
        with pytest.raises(ValueError, match=message):
            create_key(**{"project": make_project(), "scopes": ["read"]} | fields)


@pytest.mark.django_db
class TestEnds:
    def test_an_expired_key_is_refused_from_that_instant(self):
        expiry = timezone.now() + timedelta(hours=1)
        _, secret = create_key(project=make_project(), scopes=["read"], expires_at=expiry)
        assert holder_of(secret, now=expiry - timedelta(microseconds=1)) is not None
        assert holder_of(secret, now=expiry) is None

    def test_a_revoked_key_is_refused_and_revoking_again_changes_nothing(self):
        row, secret = create_key(project=make_project(), scopes=["read"])
        assert revoke_key(key=row, now=NOON)
        assert holder_of(secret, now=NOON) is None
        assert not revoke_key(key=row, now=NOON + timedelta(days=1))
        row.refresh_from_db()
        assert row.revoked_at == NOON

    def test_the_minute_of_use_is_written_once_a_minute_and_never_earlier(self):
        row, secret = create_key(project=make_project(), scopes=["read"])
        seen = []
        for instant in (NOON, NOON + timedelta(seconds=20), NOON + timedelta(seconds=60), NOON):
            holder_of(secret, now=instant)
            row.refresh_from_db()
            seen.append(f"{row.last_used_at:%H:%M:%S}")
        assert seen == ["12:00:00", "12:00:00", "12:01:00", "12:01:00"]

    def test_another_process_with_an_older_minute_leaves_the_row_alone(self, monkeypatch):
        row, secret = create_key(project=make_project(), scopes=["read"])
        holder_of(secret, now=NOON + timedelta(minutes=5))
        monkeypatch.setattr(keys, "_noted", {})
        holder_of(secret, now=NOON)
        row.refresh_from_db()
        assert f"{row.last_used_at:%H:%M:%S}" == "12:05:00"


def elsewhere(act):
    """Do something on a connection of its own, as another process would, and wait for it."""
    done = []

    def run():
        done.append(act())
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return done[0]


@pytest.fixture
def warm(django_assert_num_queries):
    """A key whose answer this process keeps, on a connection that listens."""
    answers.forget()
    row, secret = create_key(project=make_project(), scopes=["read"])
    now = timezone.now()
    for _ in range(2):  # the first look-up only begins to listen
        assert holder_of(secret, now=now)
    with django_assert_num_queries(0):
        assert holder_of(secret, now=now)
    return row, secret, now


@pytest.mark.django_db(transaction=True)
class TestKept:
    def test_a_known_key_asks_no_question_to_the_database(self, warm):
        assert warm

    def test_revoking_here_is_heard_at_once(self, warm):
        row, secret, now = warm
        revoke_key(key=row, now=now)
        assert holder_of(secret, now=now) is None

    def test_revoking_elsewhere_wakes_this_connection(self, warm, monkeypatch):
        """Another process has its own cache: the notice alone must reach this one."""
        row, secret, now = warm
        kept_here = KeyCache()
        monkeypatch.setattr(keys, "answers", kept_here)
        for _ in range(2):
            holder_of(secret, now=now)
        assert kept_here.get(digest(secret)) is not None
        elsewhere(lambda: revoke_key(key=row, now=now))  # forgets `answers`, not `kept_here`
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")  # a round trip: the notice was sent before its answer
        assert kept_here.get(digest(secret)) is None
        assert holder_of(secret, now=now) is None

    def test_a_changed_project_is_seen_with_the_next_request(self, warm):
        _, secret, now = warm
        project = Project.objects.get()
        project.keep_content = True
        project.save()
        holder = holder_of(secret, now=now)
        assert holder
        assert holder.project.keep_content

    def test_a_key_made_later_works_although_its_absence_was_kept(self, warm):
        secret = "flk_live_" + "Z" * 43
        now = timezone.now()
        assert holder_of(secret, now=now) is None
        assert holder_of(secret, now=now) is None
        row, _ = create_key(project=warm[0].project, scopes=["read"])
        row.digest = digest(secret)
        row.save()
        assert holder_of(secret, now=now)

    def test_an_answer_read_before_a_notice_does_not_count(self, warm):
        """One thread reads, another hears of the revocation, then the first keeps what it read."""
        key, generation = b"k" * 32, answers.generation
        answers.forget()
        answers.keep(key, "old", generation=generation)
        assert answers.get(key) is None

    def test_inside_a_transaction_nothing_is_kept(self, warm):
        with transaction.atomic():
            assert answers.get(digest(warm[1])) is None
            answers.keep(b"t" * 32, "x", generation=answers.generation)
        assert answers.get(b"t" * 32) is None

    def test_a_lost_connection_asks_the_database_again(self, warm):
        _, secret, now = warm
        pid = connection.connection.info.backend_pid

        def kill():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

        elsewhere(kill)
        assert answers.get(digest(secret)) is None
        connection.close()  # what Django does at the end of a request that failed
        assert holder_of(secret, now=now)

    def test_memory_is_bounded(self, warm, monkeypatch):
        monkeypatch.setattr("accounts.key_cache.BOUND", 10)
        for number in range(100):
            answers.keep(number.to_bytes(32), None, generation=answers.generation)
            answers.keep(number.to_bytes(32), "x", generation=answers.generation)
        assert len(answers._known) <= 10
        assert len(answers._unknown) <= 10

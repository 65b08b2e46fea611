"""Find: names and ids lead to their pages; hostile input finds nothing and breaks nothing; projects stay apart."""

from urllib.parse import quote

import msgspec
import pytest
from django.urls import reverse

from analytics import catalogue
from analytics.models import Flow
from ingest.records import CallRecord, Tokens
from tests.analytics.ledger import NOW, T0, load, send

pytestmark = pytest.mark.django_db
TRACE = "8f3c21d0" + "0" * 24
HOSTILE = [
    "'; DROP TABLE call;--",
    "%",
    "_",
    "\\",
    "\0",
    "\ud800",
    "{{7*7}}",
    "<script>",
    "x" * 5000,
    "AAAA" * 8,
    "🙂",
    "-",
]


CALL = CallRecord(
    id="call-1", started_us=T0, provider="openai", model="gpt-4o-mini", tokens=Tokens(input=10, output=1),
    flow="support-triage", feature="Support", customer="Trident Marine", user="u-77", session="sess-9",
    trace=TRACE, prompt="triage", prompt_version="v1",
)  # fmt: skip


def sent(**fields):
    return msgspec.structs.replace(CALL, **fields)


@pytest.fixture
def world(project):
    send(
        project,
        [sent(), sent(id="call-2", prompt_version="v2"), sent(id="lone", trace=None, session="sess-lone")],
    )
    load(project)
    return project


def hits(client, project, text):
    page = client.get(reverse("find", args=[project.slug]) + f"?q={quote(text)}")
    assert page.status_code == 200
    return {
        group.heading: [(hit.before + hit.match + hit.after, hit.href) for hit in group.hits]
        for group in page.context["groups"]
    }


def test_a_text_finds_flows_prompts_and_customers_by_kind(world, signed_in):
    found = hits(signed_in("viewer"), world, "tri")
    assert {kind: [name for name, _ in names] for kind, names in found.items()} == {
        "Flows": ["support-triage"], "Prompts": ["triage"], "Customers": ["Trident Marine"]}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind"),
    [("sup", "Features"), ("u-7", "Users"), ("sess-9", "Sessions"), ("sess-l", "Sessions"), (TRACE, "Runs"),
     ("8f3c21d0", "Runs"), ("TRIDENT", "Customers")],
)  # fmt: skip
def test_every_result_leads_to_a_page(world, signed_in, text, kind):
    client = signed_in("viewer")
    found = hits(client, world, text)
    assert kind in found
    for names in found.values():
        for _, href in names:
            assert client.get(href).status_code == 200


def test_an_old_name_finds_the_flow_of_today(world, signed_in):
    plan = catalogue.renamed(Flow.objects.get(name="support-triage"), "answer", now=NOW)
    catalogue.apply(plan, project=world, by="x", now=NOW)
    assert [name for name, _ in hits(signed_in("viewer"), world, "support-tri")["Flows"]] == ["answer"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_finds_nothing_and_breaks_nothing(world, signed_in, text):
    client = signed_in("viewer")
    url = reverse("find", args=[world.slug]) + "?q=" + quote(text.encode("utf-8", "surrogatepass"))
    page = client.get(url, headers={"HX-Request": "true"})
    assert page.status_code == 200
    assert b"<script>" not in page.content
    assert b'class="hit"' not in page.content or text in ("-", "_", "%")


def test_another_projects_things_are_not_found(world, signed_in):
    assert signed_in("stranger").get(reverse("find", args=[world.slug]) + "?q=tri").status_code == 404
    assert hits(signed_in("stranger"), type(world).objects.get(slug="elsewhere"), "tri") == {}


def test_a_trace_leads_from_a_log_line_to_its_run_for_members_only(world, signed_in, client):
    address = reverse("go_trace", args=[TRACE])
    assert signed_in("viewer").get(address)["Location"] == reverse("run", args=[world.slug, TRACE])
    assert signed_in("viewer").get(reverse("go_trace", args=["lone"])).status_code == 302
    assert signed_in("stranger").get(address).status_code == 404
    assert signed_in("viewer").get(reverse("go_trace", args=["no-such"])).status_code == 404
    assert "next=%2Fgo%2Ftrace%2F" in client.get(address)["Location"]


def test_addresses_of_the_api_that_do_not_exist_answer_in_its_shape(client):
    for path in ("/v1/nothing", "/api/nothing", "/opik/x/y", "/v1/dimensions/"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "not_found"
    assert "text/html" in client.get("/nothing")["Content-Type"]


def test_the_runs_page_leads_to_tracer_and_repository(world, signed_in):
    owner = signed_in("owner")
    given = {"name": world.name, "zone": world.zone, "main_environment": "production",
             "tracer_link": "https://tracer.example/trace/{trace_id}?x=1"}  # fmt: skip
    owner.post(reverse("settings", args=[world.slug]), given)
    page = owner.get(reverse("run", args=[world.slug, TRACE])).content.decode()
    assert f'href="https://tracer.example/trace/{TRACE}?x=1"' in page


@pytest.mark.parametrize(
    "link",
    ["javascript:alert({trace_id})", "ftp://x/{trace_id}", "https://x/", "https://{trace_id}/", "https://x/{release}",
     "https://x/{trace_id", "https:///{trace_id}", "//x/{trace_id}"],
)  # fmt: skip
def test_links_that_lead_astray_are_refused(world, signed_in, link):
    given = {"name": world.name, "zone": world.zone, "main_environment": "production", "tracer_link": link}
    signed_in("owner").post(reverse("settings", args=[world.slug]), given)
    world.refresh_from_db()
    assert world.tracer_link == ""

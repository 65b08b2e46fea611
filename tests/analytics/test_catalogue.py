"""The catalogue: what is renamed, merged, moved and described counts so for all history, and is undone exactly."""

from datetime import timedelta

import pytest

from accounts.models import AuditLine
from analytics import catalogue
from analytics.answer import answer
from analytics.catalogue import CatalogueError
from analytics.models import CatalogueChange, Feature, Flow
from analytics.query import parse
from tests.analytics.ledger import NOW, call, load, rows, send
from tests.personas import make_project

pytestmark = pytest.mark.django_db
BY = "someone@example.com"


@pytest.fixture
def project():
    made = make_project()
    records = [
        call(1, flow="triage", feature="support"),
        call(2, flow="triage", feature="support"),
        call(3, flow="support-triage", feature="support"),
        call(4, flow="search", feature="search"),
        call(5, flow=None, feature=None),
    ]
    send(made, records)
    load(made)
    return made


def flow(project, name):
    return Flow.objects.get(project=project, name=name)


def feature(project, name):
    return Feature.objects.get(project=project, name=name)


def apply(project, plan):
    return catalogue.apply(plan, project=project, by=BY, now=NOW)


def undo(project, change):
    return catalogue.undo(change.pk, project=project, by=BY, now=NOW)


def calls(project, by, **filters):
    params = {"measures": ["calls"], "group_by": [by], "period": ["today"], **filters}
    result = answer(parse(params, project=project, now=NOW), now=NOW)
    return {group[0]: figures["calls"] for group, figures in result.by_group().items()}


def everything(project):
    return [
        list(model.objects.filter(project=project).order_by("pk").values().exclude(archived_at__isnull=False))
        for model in (Flow, Feature)
    ]


def test_a_rename_holds_for_all_history_and_for_calls_that_still_come_under_the_old_name(project):
    apply(project, catalogue.renamed(flow(project, "triage"), "answer", now=NOW))
    assert calls(project, "flow") == {"answer": 2, "support-triage": 1, "search": 1, "(unattributed)": 1}
    send(project, [call(6, flow="triage"), call(7, flow="answer")])
    load(project)
    assert calls(project, "flow")["answer"] == 4
    assert calls(project, "feature")["support"] == 5


def test_a_filter_on_the_old_name_still_finds_a_renamed_flow(project):
    apply(project, catalogue.renamed(flow(project, "triage"), "answer", now=NOW))
    assert calls(project, "flow", flow=["triage"]) == {"answer": 2}
    assert calls(project, "flow", flow=["answer"]) == {"answer": 2}
    assert "answer" not in calls(project, "flow", flow=["!triage"])


def test_a_merge_adds_up_and_takes_other_names_along(project):
    apply(project, catalogue.renamed(flow(project, "triage"), "answer", now=NOW))
    apply(project, catalogue.merged(flow(project, "answer"), flow(project, "support-triage"), now=NOW))
    assert calls(project, "flow") == {"support-triage": 3, "search": 1, "(unattributed)": 1}
    assert flow(project, "triage").alias_of == flow(project, "support-triage")
    assert calls(project, "flow", flow=["triage"]) == {"support-triage": 3}


def test_the_feature_of_another_name_is_that_of_its_flow(project):
    apply(project, catalogue.merged(flow(project, "search"), flow(project, "triage"), now=NOW))
    assert calls(project, "feature") == {"support": 4, "(unattributed)": 1}


def test_a_renamed_feature_takes_the_flows_that_still_suggest_its_old_name(project):
    apply(project, catalogue.renamed(feature(project, "support"), "Support assistant", now=NOW))
    send(project, [call(6, flow="brand-new", feature="support")])
    load(project)
    assert calls(project, "feature") == {"Support assistant": 4, "search": 1, "(unattributed)": 1}
    assert calls(project, "flow", feature=["support"]).keys() == {"triage", "support-triage", "brand-new"}


def test_a_merged_features_flows_are_the_others(project):
    apply(project, catalogue.merged(feature(project, "search"), feature(project, "support"), now=NOW))
    assert calls(project, "feature") == {"support": 4, "(unattributed)": 1}


def test_owner_and_cost_centre_are_the_features_unless_the_flow_says_otherwise(project):
    details = {"owner": "Ana", "cost_centre": "CC-410"}
    apply(project, catalogue.described(feature(project, "support"), details, now=NOW))
    apply(project, catalogue.described(flow(project, "triage"), {"cost_centre": "CC-1"}, now=NOW))
    assert calls(project, "owner") == {"Ana": 3, "(none)": 2}
    assert calls(project, "cost_centre") == {"CC-1": 2, "CC-410": 1, "(none)": 2}
    assert calls(project, "flow", cost_centre=["CC-1"]) == {"triage": 2}
    assert calls(project, "flow", owner=["(none)"]) == {"search": 1, "(unattributed)": 1}


def test_every_source_knows_the_owner(project):
    apply(project, catalogue.described(flow(project, "triage"), {"owner": "Ana"}, now=NOW))
    for measure in ("users", "runs", "p95_latency", "cost"):
        params = {"measures": [measure], "owner": ["Ana"], "period": ["today"]}
        assert answer(parse(params, project=project, now=NOW), now=NOW).totals[measure]
    by_customer = {"measures": ["calls"], "owner": ["Ana"], "group_by": ["customer"], "period": ["today"]}
    assert answer(parse(by_customer, project=project, now=NOW), now=NOW).totals["calls"] == 2


@pytest.mark.parametrize(
    "plan",
    [
        lambda p: catalogue.renamed(flow(p, "triage"), "answer", now=NOW),
        lambda p: catalogue.renamed(flow(p, "triage"), "search", now=NOW),
        lambda p: catalogue.merged(flow(p, "triage"), flow(p, "search"), now=NOW),
        lambda p: catalogue.moved([flow(p, "triage"), flow(p, "search")], "Brand new", now=NOW),
        lambda p: catalogue.moved([flow(p, "triage")], "search", now=NOW),
        lambda p: catalogue.moved([flow(p, "triage")], "", now=NOW),
        lambda p: catalogue.described(flow(p, "triage"), {"owner": "Ana", "description": "x"}, now=NOW),
        lambda p: catalogue.archived(flow(p, "triage"), now=NOW),
        lambda p: catalogue.confirmed([flow(p, "triage"), flow(p, "search")], now=NOW),
        lambda p: catalogue.renamed(feature(p, "support"), "Support assistant", now=NOW),
        lambda p: catalogue.merged(feature(p, "support"), feature(p, "search"), now=NOW),
    ],
)
def test_undo_is_exact_and_leaves_two_lines_in_the_audit_log(project, plan):
    before = everything(project), calls(project, "flow"), calls(project, "feature")
    change = apply(project, plan(project))
    assert everything(project) != before[0]
    undo(project, change)
    assert (everything(project), calls(project, "flow"), calls(project, "feature")) == before
    actions = AuditLine.objects.filter(project=project, actor=BY).values_list("action", flat=True)
    assert list(actions.order_by("pk")) == [change.action, "catalogue.undone"]


def test_a_name_comes_back(project):
    apply(project, catalogue.renamed(flow(project, "triage"), "answer", now=NOW))
    apply(project, catalogue.renamed(flow(project, "answer"), "triage", now=NOW))
    assert calls(project, "flow")["triage"] == 2
    assert flow(project, "answer").alias_of == flow(project, "triage")


def test_an_earlier_change_of_the_same_flow_cannot_be_undone_before_the_later(project):
    first = apply(project, catalogue.described(flow(project, "triage"), {"owner": "Ana"}, now=NOW))
    second = apply(project, catalogue.described(flow(project, "triage"), {"owner": "Mei"}, now=NOW))
    with pytest.raises(CatalogueError, match="changed meanwhile"):
        undo(project, first)
    undo(project, second)
    undo(project, first)
    assert flow(project, "triage").owner == ""
    with pytest.raises(CatalogueError, match="undone already"):
        undo(project, first)


def test_a_plan_that_was_overtaken_changes_nothing(project):
    late = catalogue.described(flow(project, "triage"), {"owner": "Ana"}, now=NOW)
    apply(project, catalogue.described(flow(project, "triage"), {"owner": "Mei"}, now=NOW))
    with pytest.raises(CatalogueError, match="changed meanwhile"):
        apply(project, late)
    assert CatalogueChange.objects.count() == 1


@pytest.mark.parametrize("name", ["", "   ", "(unattributed)", "(none)", "!x", "x" * 201, "\0"])
def test_names_that_cannot_be_used_are_refused(project, name):
    with pytest.raises(CatalogueError):
        catalogue.renamed(flow(project, "triage"), name, now=NOW)


def test_another_name_is_changed_through_its_flow(project):
    apply(project, catalogue.merged(flow(project, "triage"), flow(project, "search"), now=NOW))
    with pytest.raises(CatalogueError, match="another name of search"):
        catalogue.renamed(flow(project, "triage"), "elsewhere", now=NOW)
    with pytest.raises(CatalogueError, match="another name of search already"):
        catalogue.renamed(flow(project, "support-triage"), "triage", now=NOW)
    with pytest.raises(CatalogueError, match="itself"):
        catalogue.merged(flow(project, "search"), flow(project, "search"), now=NOW)


def test_nothing_of_another_project_is_changed(project):
    other = make_project("Other")
    plan = catalogue.described(flow(project, "triage"), {"owner": "Ana"}, now=NOW)
    with pytest.raises(CatalogueError, match="gone"):
        apply(other, plan)
    change = apply(project, plan)
    with pytest.raises(CatalogueError, match="no such change"):
        undo(other, change)


def test_the_rollups_are_not_touched(project):
    before = rows("SELECT count(*), sum(batch) FROM usage")
    apply(
        project,
        catalogue.merged(flow(project, "triage"), flow(project, "search"), now=NOW + timedelta(days=1)),
    )
    assert rows("SELECT count(*), sum(batch) FROM usage") == before

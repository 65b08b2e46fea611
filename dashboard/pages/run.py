"""Run: what happened in this one?"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import audit, links
from accounts.errors import ApiError
from accounts.models import Member
from analytics import lists
from analytics.answer import answer
from analytics.dimensions import LABELS
from analytics.entries import Call, Run
from analytics.lists import RunDetail
from analytics.periods import Period, quarter_floor
from analytics.query import Filter, Query
from dashboard import answers, entries, formats, kept_content, timeline
from dashboard import scope as scopes
from dashboard.answers import RunFacts
from dashboard.flow_links import flow_url
from dashboard.formats import Figure
from dashboard.frame import Choice, frame_for
from dashboard.guard import project_page
from dashboard.scope import Scope
from dashboard.strip import StripCell
from dashboard.trust_line import trust_line

MEDIAN_DAYS = 28
USUAL = ("p50_run_duration", "p95_run_duration", "cost_per_run", "p95_cost_per_run", "runs")
SEALED_AFTER = timedelta(hours=48)
RAN_WITH = (
    ("Prompt", ("prompt", "prompt_version")), ("Release", ("release",)), ("Retrieval", ("retrieval",)),
    ("Customer", ("customer",)), ("User", ("user",)), ("Session", ("session",)), ("Environment", ("environment",)),
)  # fmt: skip


@project_page()
def run(request: HttpRequest, member: Member, run_id: str) -> HttpResponse:
    """The page, without content."""
    return _page(request, member, run_id, content=None)


@require_POST
@project_page()
def content(request: HttpRequest, member: Member, run_id: str) -> HttpResponse:
    """The page with what was asked and answered; opening it leaves a line in the audit log."""
    detail = _detail(member, run_id)
    audit.record(project=member.project, actor=member.user.email, action="content.opened", target=run_id)
    return _page(request, member, run_id, content=kept_content.exchanges(member.project, detail.calls))


def _detail(member: Member, run_id: str) -> RunDetail:
    found = lists.one_run(run_id, project=member.project)
    if found is None:
        raise Http404("There is no such run.")
    return found


def _page(request: HttpRequest, member: Member, run_id: str, *, content: Any) -> HttpResponse:
    detail = _detail(member, run_id)
    slug, now = member.project.slug, timezone.now()
    scope = scopes.read(request.GET, project=member.project, now=now, path=reverse("runs", args=[slug]))
    usual = _usual(scope, detail.run)
    facts = _facts(detail, usual)
    nodes = timeline.nodes_of(detail.calls, timeline.spans_of(detail.run, member.project.pk))
    axis = timeline.axis_of(detail.run, nodes)
    trust = answer(scope.query(measures=("calls",), base=None, compare=""), now=now).trust
    found = {
        "run": detail.run,
        "short": detail.run.id[:8] if detail.run.traced else detail.run.key.hex[:8],
        "at": formats.instant(detail.run.started_at, zone=member.project.zone),
        "crumbs": _crumbs(scope, detail.run),
        "answer": answers.run(facts),
        "strip": _strip(detail, usual, facts),
        "rows": timeline.rows_of(detail.run, nodes, axis, selected=_explains(detail)),
        "ticks": axis.ticks(),
        "total": _total(detail),
        "tags": _tags(detail.run, now),
        "not_billed": any(call.cost_status == "not_billed" for call in detail.calls),
        "ran_with": _ran_with(scope, detail),
        "calls": [_details(call) for call in detail.calls],
        "content": content,
        "can_open": content is None and kept_content.has_content(member.project, detail.calls),
        "content_url": reverse("run_content", args=[slug, run_id]),
        "trust_line": trust_line(scope, trust),
        "frame": frame_for(member, now=now, place="Explore", scope=scope, trust=trust, compares=False),
    }
    return render(request, "dashboard/run.html", found)


def trace(request: HttpRequest, trace: str) -> HttpResponse:
    """`/go/trace/<id>`: a stable link for logs and tickets; the first of one's projects that has the run."""
    if not request.user.is_authenticated:
        return redirect(f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}")
    members = Member.objects.select_related("project").filter(user=request.user.pk)
    projects = [member.project for member in members.order_by("project__is_demo", "pk")]
    for look in (
        lists.has_trace,
        lists.has_call,
    ):  # traces have an index: every project is asked for them first
        for project in projects:
            if look(trace, project=project):
                return redirect("run", project.slug, trace)
    raise Http404("There is no such run.")


def _usual(scope: Scope, run: Run) -> dict[str, Any]:
    """Percentiles and mean cost of the run's flow in the 28 days until now; empty where they cannot be had."""
    flow, environment = run.dimensions["flow"], run.dimensions["environment"]
    if not flow or flow in LABELS:
        return {}
    end = quarter_floor(scope.now)
    zone = scope.project.zone
    period = Period(start=end - timedelta(days=MEDIAN_DAYS), end=end, zone=zone)
    filters = (Filter("flow", (flow,)), Filter("environment", (environment or "",)))
    query = Query(project=scope.project, period=period, measures=USUAL, filters=filters)
    try:
        return answer(query, now=scope.now, trust=False).totals
    except ApiError:
        return {}  # the page goes without a comparison


def _facts(detail: RunDetail, usual: dict[str, Any]) -> RunFacts:
    run, failed = detail.run, [call for call in detail.calls if call.failed]
    answered = _rescuer(detail.calls)
    last = failed[-1] if failed else None
    return RunFacts(
        outcome=run.outcome, rescued=run.rescued, failed_calls=run.errors, calls=run.calls,
        error=entries.ERRORS.get(last.error_class, "") if last else "",
        failed_model=(last.dimensions["model"] or "") if last else "",
        answered_by=(answered.dimensions["model"] or "") if answered else "",
        cost=run.cost, duration_ms=run.duration_ms, median_ms=usual.get("p50_run_duration"),
        p95_ms=usual.get("p95_run_duration"), p95_cost=usual.get("p95_cost_per_run"),
        median_cost=usual.get("cost_per_run"),
    )  # fmt: skip


def _strip(detail: RunDetail, usual: dict[str, Any], facts: RunFacts) -> list[StripCell]:
    run = detail.run
    duration = formats.figure_for("ms", "", run.duration_ms)
    slow = facts.p95_ms is not None and (run.duration_ms or 0) > facts.p95_ms
    median = f"median {formats.duration(facts.median_ms)}" if facts.median_ms else ""
    first = next((call.ttft_ms for call in reversed(detail.calls) if call.ttft_ms is not None), None)
    tokens = [value for value in (run.input_tokens, run.output_tokens) if value is not None]
    ok = run.calls - run.errors
    return [
        StripCell(label="Duration", figure=duration, note="slower than 95 % of runs" if slow else median,
                  tone="worse" if slow else ""),
        StripCell(label="First token of the answer", figure=formats.figure_for("ms", "", first)),
        StripCell(label="Cost", figure=Figure(formats.money_answer(run.cost)), note=_cost_note(detail, usual)),
        StripCell(label="Tokens", figure=Figure(formats.count(sum(tokens)) if tokens else formats.MISSING),
                  note=f"{formats.count(run.input_tokens)} in, {formats.count(run.output_tokens)} out"),
        StripCell(label="Calls", figure=Figure(formats.count(run.calls)),
                  note=f"{run.errors} failed, {ok} ok" if run.errors else f"{ok} ok",
                  tone="worse" if run.errors else ""),
        StripCell(label="Outcome", figure=Figure(entries.outcome_words(run)), words=True,
                  note=f"value {run.outcome_value}" if run.outcome_value is not None else ""),
    ]  # fmt: skip


def _cost_note(detail: RunDetail, usual: dict[str, Any]) -> str:
    wasted = sum((call.cost or Decimal(0) for call in detail.calls if call.wasted), Decimal(0))
    mean = f"mean {formats.money_answer(usual['cost_per_run'])}" if usual.get("cost_per_run") else ""
    said = [mean, f"wasted {formats.money_answer(wasted)}" if wasted else ""]
    if detail.run.unpriced_calls:
        said.append(f"{detail.run.unpriced_calls} without a price")
    return "; ".join(text for text in said if text)


def _total(detail: RunDetail) -> dict[str, Any]:
    """The total row: what of the time went into failed attempts, and the sums."""
    failed = sum(call.duration_ms or 0 for call in detail.calls if call.failed)
    cached = [value for call in detail.calls if (value := call.tokens["cache_read"]) is not None]
    models = {call.dimensions["model"] for call in detail.calls}
    run = detail.run
    return {
        "note": f"{formats.count(run.calls)} {'call' if run.calls == 1 else 'calls'}, "
        f"{len(models)} {'model' if len(models) == 1 else 'models'}",
        "took": formats.duration(run.duration_ms),
        "failed": formats.duration(failed) if failed else "",
        "input": formats.count(run.input_tokens),
        "cached": formats.count(sum(cached) if cached else None),
        "output": formats.count(run.output_tokens),
        "cost": formats.call_cost(run.cost, at_least=bool(run.unpriced_calls) and run.cost is not None),
    }


def _rescuer(calls: Sequence[Call]) -> Call | None:
    """The first call after the last failure that did not fail."""
    after = max((index for index, call in enumerate(calls) if call.failed), default=-1)
    return next((call for call in calls[after + 1 :] if not call.failed), None)


def _explains(detail: RunDetail) -> Any:
    """The call that explains the run: the one that failed it, that rescued it, else the costliest of several."""
    calls = detail.calls
    if detail.run.outcome == "failure":
        return next((call.key for call in reversed(calls) if call.failed), None)
    if detail.run.rescued:
        rescuer = _rescuer(calls)
        return rescuer.key if rescuer else None
    priced = [call for call in calls if call.cost is not None]
    return max(priced, key=lambda call: call.cost or 0).key if len(priced) > 1 else None


def _tags(run: Run, now: Any) -> list[tuple[str, str]]:
    found = []
    if run.calls > timeline.MOST_SPANS:
        found.append(("large", "Over 2,000 spans: later ones look up only their ancestors."))
    if now - run.started_at > SEALED_AFTER and run.ended_at - run.started_at > SEALED_AFTER:
        found.append(
            ("sealed", "Older than 48 hours and still growing: later spans look up only their ancestors.")
        )
    return found


def _crumbs(scope: Scope, run: Run) -> list[Choice]:
    explore = reverse("explore", args=[scope.project.slug])
    feature, flow = run.dimensions["feature"], run.dimensions["flow"]
    found = [Choice(feature, scope.narrowed(explore, "feature", feature, group_by="flow"))] if feature else []
    found += [Choice(flow, flow_url(scope, flow))] if flow else []
    return found


def _ran_with(scope: Scope, detail: RunDetail) -> list[tuple[str, list[Choice]]]:
    """What the run ran with; names that a list can be filtered by lead there."""
    runs = reverse("runs", args=[scope.project.slug])
    found = []
    for label, names in RAN_WITH:
        known = [(name, value) for name in names if (value := detail.run.dimensions.get(name))]
        if known:
            found.append(
                (label, [Choice(v, scope.narrowed(runs, n, v) if v not in LABELS else "") for n, v in known])
            )
    release = detail.run.dimensions.get("release")
    if (
        release
        and release not in LABELS
        and (href := links.filled(scope.project.repository_link, "release", release))
    ):
        found = [(label, [*values, Choice("in the repository", href)] if label == "Release" else values)
                 for label, values in found]  # fmt: skip
    fingerprint = next((call.fingerprint for call in detail.calls if call.fingerprint), None)
    found += [("Fingerprint", [Choice(fingerprint)])] if fingerprint else []
    tracer = links.filled(scope.project.tracer_link, "trace_id", detail.run.id) if detail.run.traced else ""
    outside = [Choice("in the tracer", tracer)] if tracer else []
    return [*found, ("Trace" if detail.run.traced else "Call", [Choice(detail.run.id), *outside])]


def _details(call: Call) -> dict[str, Any]:
    """Everything that is known of one call, for its fold."""
    names = (
        "provider",
        "model",
        "response_model",
        "service_tier",
        "operation",
        "prompt",
        "prompt_version",
        "release",
    )
    pairs = [(name.replace("_", " "), call.dimensions[name]) for name in names if call.dimensions.get(name)]
    pairs += [
        (f"{n.replace('_', ' ')} tokens", formats.count(v)) for n, v in call.tokens.items() if v is not None
    ]
    pairs += [
        (f"{n.replace('_', ' ')} cost", formats.call_cost(v)) for n, v in call.cost_by_kind.items() if v
    ]
    pairs += [(name, value) for name, value in (call.other_units or {}).items()]
    optional = (("cost status", call.cost_status), ("reason", call.cost_reason), ("finish", call.finish_reason),
                ("error type", call.error_type), ("id", call.client_id), ("response id", call.response_id))  # fmt: skip
    pairs += [(name, value) for name, value in optional if value]
    pairs += [(f"tag {name}", value) for name, value in call.tags.items()]
    if call.reported_cost is not None:
        pairs.append(("reported cost", formats.call_cost(call.reported_cost)))
    if call.estimated_cost is not None:
        pairs.append(("estimated by the sender", formats.call_cost(call.estimated_cost)))
    name = call.dimensions["step"] or call.dimensions["operation"] or "call"
    return {
        "anchor": f"call-{call.key.hex[:12]}-details",
        "name": name,
        "model": call.dimensions["model"],
        "pairs": pairs,
    }

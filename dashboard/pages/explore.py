"""Explore: how much of this, by that?"""

from dataclasses import replace
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.errors import ApiError
from accounts.models import Member
from analytics.answer import answer
from analytics.dimensions import OTHER, REST, SEVERAL, dimension_of
from analytics.measures import MEASURES
from dashboard import buckets, deltas, formats, spans_of_time
from dashboard import explore_menus as menus
from dashboard import scope as scopes
from dashboard.change_rows import marked
from dashboard.colours import colours_of
from dashboard.empties import why_empty
from dashboard.explore_chart import figure, members, plot, summary
from dashboard.explore_question import Question, question
from dashboard.exports import csv_response
from dashboard.finders import style_guards
from dashboard.flow_links import flow_url
from dashboard.frame import Choice, frame_for
from dashboard.guard import project_page
from dashboard.kinds import kind_of
from dashboard.markers import add_markers
from dashboard.moves import weekday_matched
from dashboard.panels import Panel, asked_for, filled
from dashboard.scope import Scope
from dashboard.tables import LAST, Plan, sorter, table
from dashboard.trust_line import trust_line, unpriced_url

VALUES = 50
KIND_LABELS = {"model": "provider", "flow": "feature"}


@project_page()
def explore(request: HttpRequest, member: Member) -> HttpResponse:
    """The page: the sentence, chips, chart and table of one question."""
    asked = question(_scope(request, member, "explore"))
    panels = {panel.id: filled(panel, make, scope=asked.scope) for panel, make in _panels(asked)}
    only = asked_for(request)
    if only in panels:
        return render(request, "dashboard/_panel.html", {"panel": panels[only]})
    if panels["table"].state:  # it keeps the title of what is missing
        panels["table"] = replace(panels["table"], title=panels["chart"].title)
        panels["chart"] = replace(panels["chart"], state=None)
    failed = bool(panels["table"].state and panels["table"].state.failed)
    trust = None if failed else asked.result.trust
    found = {
        "panels": panels,
        "sentence": menus.sentence(asked),
        "chips": menus.chips(asked.scope),
        "clear": menus.clear(asked.scope) if asked.scope.filters else "",
        "clear_count": len(asked.scope.filters),
        "drill": menus.drill(asked),
        "filterable": menus.filterable(asked),
        "more": () if failed else menus.more_columns(asked),
        "fewer": () if failed else menus.fewer_columns(asked),
        "guards": style_guards(),
        "acts": _acts(asked.scope),
        "csv": asked.scope.url(reverse("explore_csv", args=[member.project.slug])),
        "trust_line": trust_line(asked.scope, trust),
        "frame": frame_for(member, now=asked.now, place="Explore", scope=asked.scope, trust=trust),
    }
    return render(request, "dashboard/explore.html", found)


def _acts(scope: Scope) -> tuple[Choice, ...]:
    """On to the page of the one flow that is looked at, and to Compare with the same filters."""
    flows = scope.asked.values_of("flow")
    page = (Choice("Flow page", flow_url(scope, flows[0])),) if len(flows) == 1 else ()
    compare = scope.elsewhere_filtered(reverse("compare", args=[scope.project.slug]))
    return (*page, Choice("Compare", compare))


def _scope(request: HttpRequest, member: Member, page: str) -> Scope:
    path = reverse(page, args=[member.project.slug])
    return scopes.read(request.GET, project=member.project, now=timezone.now(), path=path)


def _panels(asked: Question) -> list[tuple[Panel, Any]]:
    """The table first: the chart is of the same answer."""
    scope = asked.scope
    measure, grain = MEASURES[asked.measure], menus.GRAIN_WORDS[asked.grain]
    unit = {"ms": "s", "ratio": "%"}.get(measure.unit, measure.unit.split("/")[0])
    table_view = (
        Choice("As chart", scope.url(view=None), key="o")
        if asked.view == "table"
        else (Choice("As table", scope.url(view="table"), key="o"))
    )
    chart = Panel(
        id="chart",
        title=f"{measure.label} per {grain}, {unit}",
        template="dashboard/_over_time.html" if asked.view == "table" else "dashboard/_chart.html",
        links=(*menus.views(asked), table_view),
    )
    return [
        (Panel(id="table", title="", template="dashboard/_ledger.html"), partial(_table, asked)),
        (chart, partial(_over_time if asked.view == "table" else _chart, asked)),
    ]


def _table(asked: Question) -> Any:
    scope, result = asked.scope, asked.result
    if not _has_any(asked):
        return why_empty(scope)
    explore_path = reverse("explore", args=[scope.project.slug])
    dimension = asked.dimension
    tokens = _tokens(asked)
    plan = Plan(
        result=result,
        over_time=asked.over_time,
        grain=asked.grain,
        dimension=dimension,
        measure=asked.measure,
        extras=asked.extras,
        link=partial(_into, asked),
        sort=sorter(scope, explore_path, asked.measure, dimension),
        kind=kind_of(scope.project, dimension),
        token=lambda name: tokens.get(name, "rest"),
        id="table",
        spark_head=buckets.spark_head(scope.period, asked.grain),
        caption=f"{MEASURES[asked.measure].label} by {menus.label_of(dimension).lower()}",
        kind_label=KIND_LABELS.get(dimension, ""),
        shows_previous=True,
        unpriced=unpriced_url(scope),
        show_all=scope.url(limit="1000"),
        wide=asked.extras[3:],
    )
    return table(plan)


def _has_any(asked: Question) -> bool:
    """Whether the period has a call or run; a base alone is no figure."""
    totals = asked.result.totals
    count = totals.get("calls", totals.get("runs", asked.result.groups))
    return bool(count)


def _tokens(asked: Question) -> dict[str, str]:
    named = members(asked)
    return colours_of(named, project=asked.scope.project, dimension=asked.dimension, now=asked.now)


def _into(asked: Question, name: str) -> str:
    """A row leads one step down: narrowed to it, by the next dimension, in the end to its runs."""
    scope = asked.scope
    if name == REST:
        return scope.url(limit="1000")
    if name in (OTHER, SEVERAL):
        return ""
    following = asked.next_dimension
    if not following:
        return menus.runs_url(_with(scope, asked.dimension, name))
    return scope.narrowed("", asked.dimension, name, group_by=following, order=None, limit=None)


def _with(scope: Scope, dimension: str, name: str) -> Scope:
    return Scope(project=scope.project, now=scope.now, path=scope.path, asked=scope.asked,
                 params={**scope.params, dimension: (name,)})  # fmt: skip


def _chart(asked: Question) -> Any:
    if not _has_any(asked):
        return None
    made = plot(asked, _tokens(asked))
    scope = asked.scope
    environment = scope.environments[0] if len(scope.environments) == 1 else ""
    markers, marks = marked(
        scope.project, scope.asked.values_of("flow"), scope.period, environment, now=asked.now
    )
    drawn = add_markers(figure(asked, made), markers, period=scope.period, grain=asked.grain)
    return {"figure": drawn, "summary": summary(asked, made), "note": _note(asked), "marks": marks}


def _note(asked: Question) -> dict[str, str]:
    """How to read the dashed line, with the weekday-matched change where weekdays differ."""
    scope = asked.scope
    if scope.base is None or not asked.additive:
        return {"text": "; ".join(asked.result.notes)}
    text = f"dashed: {spans_of_time.dates(scope.base, year=False)}"
    found = {"text": text, "after": "; pale: still filling" if scope.period.until else ""}
    if asked.measure == "cost" and (matched := weekday_matched(scope)) and matched.compare:
        moved = deltas.delta(matched.totals["cost"], matched.compare.totals["cost"], measure=MEASURES["cost"])
        found |= {"by_date": scope.url(compare="weekdays"), "matched": f"{moved.arrow} {moved.text}".strip()}
    return found


def _over_time(asked: Question) -> Any:
    """The chart as a table: a row per bucket, a column per member, what adds up closed by a total."""
    if not _has_any(asked):
        return None
    named, starts = members(asked), buckets.buckets(asked.scope.period, asked.grain)
    found = buckets.by_group(asked.over_time, measure=asked.measure, grain=asked.grain)
    columns = [(name, found.get((name,), (None,) * len(starts))) for name in named]
    others = {group: values for group, values in found.items() if group[0] not in named}
    if others and asked.additive:
        columns.append((REST, buckets.summed(others)))
    every = [value for _, values in columns for value in values]
    column = formats.column_for(MEASURES[asked.measure].unit, asked.measure, every)
    look = "%a %-d %b %H:%M" if asked.grain in ("hour", "15min") else "%a %-d %b %Y"
    return {
        "names": [name for name, _ in columns],
        "unit": column.unit,
        "rows": [
            (start.strftime(look), [column.show(values[i]) for _, values in columns])
            for i, start in enumerate(starts)
        ],
        "totals": [column.show(sum(v or 0 for v in values)) for _, values in columns]
        if asked.additive
        else [],
        "caption": f"{MEASURES[asked.measure].label} per {menus.GRAIN_WORDS[asked.grain]}",
    }


@project_page()
def as_csv(request: HttpRequest, member: Member) -> HttpResponse:
    """The table's rows as they are shown, with currency, period, zone and environment on each."""
    asked = question(_scope(request, member, "explore"))
    result, scope = asked.result, asked.scope
    current = {group[0]: figures for group, figures in result.by_group().items()}
    base = {group[0]: figures for group, figures in result.base_by_group().items()}
    names = sorted([*current, *(n for n in base if n not in current)], key=lambda name: LAST.get(name, 0))
    lines = [(name, current.get(name, {}), base.get(name, {})) for name in names]
    lines.append(("Total", result.totals, result.compare.totals if result.compare else {}))
    measures = (asked.measure, *asked.extras)
    head = [asked.dimension, *(f"{name} ({MEASURES[name].unit})" for name in measures), f"previous {asked.measure}",
            "from", "to", "zone", "environment"]  # fmt: skip
    period, tz = scope.period, scope.period.tz
    stamp = [period.start.astimezone(tz).isoformat(), period.end.astimezone(tz).isoformat(), period.zone,
             ", ".join(scope.environments) or "all"]  # fmt: skip
    rows = [
        [name, *(now.get(m) for m in measures), before.get(asked.measure), *stamp]
        for name, now, before in lines
    ]
    file = (
        f"{member.project.slug}-{asked.measure}-by-{asked.dimension.replace(':', '-')}-{period.first_day}.csv"
    )
    return csv_response(file, head, rows)


@project_page()
def values(request: HttpRequest, member: Member) -> HttpResponse:
    """The values of one dimension for *+ Filter*, with their calls of this period and the other filters."""
    scope = _filter_scope(request, member)
    name = request.GET.get("of", "")
    if dimension_of(name, tracked=member.project.tracked_tags) is None:
        raise ApiError(422, "bad_query", "There is no such dimension.", field="of")
    query = scope.query(
        measures=("calls",), group_by=(name,), filters=tuple(f for f in scope.asked.filters if f.dimension != name),
        base=None, compare="", limit=VALUES,
    )  # fmt: skip
    result = answer(query, now=scope.now, trust=False)
    found = [
        (
            value[0],
            formats.count(figures["calls"]),
            scope.url(**{name: value[0]}),
            scope.url(**{name: f"!{value[0]}"}),
        )
        for value, figures in result.by_group().items()
        if value[0] not in (REST, OTHER)
    ]
    context = {"values": found, "label": menus.label_of(name).lower(), "cut": result.cut, "name": name}
    return render(request, "dashboard/_values.html", context)


def _filter_scope(request: HttpRequest, member: Member) -> Scope:
    given = request.GET.copy()
    given.pop("of", None)
    path = given.pop("on", [""])[-1]
    known = {reverse(page, args=[member.project.slug]) for page in ("explore", "runs", "calls")}
    path = path if path in known else reverse("explore", args=[member.project.slug])
    return scopes.read(given, project=member.project, now=timezone.now(), path=path)

"""Alerts: what broke, how badly, why? The list, and one alert as it is opened from a message."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.access import allows
from accounts.models import Member, Project
from analytics.answer import answer
from dashboard import alert_list, alert_one, guardrails_nav
from dashboard import scope as scopes
from dashboard.frame import frame_for
from dashboard.guard import project_page
from dashboard.scope import Scope
from dashboard.trust_line import trust_line
from guardrails import acts, facts
from guardrails.alert_models import SHOWN, Alert


@project_page()
def alerts(request: HttpRequest, member: Member) -> HttpResponse:
    """Alerts by state, firing ones first."""
    now, project = timezone.now(), member.project
    state = request.GET.get("state", "")
    state = state if state in SHOWN else ""
    rows, more = alert_list.rows(project, state=state, before=request.GET.get("before", ""), now=now)
    path = reverse("alerts", args=[project.slug])
    found = {
        "answer": alert_list.answer(project, now=now),
        "states": alert_list.states(project, path, state),
        "state": state,
        "rows": rows,
        "more": f"{path}?{f'state={state}&' if state else ''}before={more}" if more else "",
        "problem": alert_list.problem(project),
        "nav": guardrails_nav.nav(project, "alerts"),
        "frame": frame_for(member, now=now, place="Guardrails"),
    }
    return render(request, "dashboard/alerts.html", found)


@project_page()
def alert(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """One alert."""
    now, project = timezone.now(), member.project
    one = the_alert(project, number)
    scope = _scope(request, one, project, now)
    known = (
        one.facts
        if one.facts is not None and one.resolved_at
        else facts.facts_of(one, project=project, now=now)
    )
    trust = answer(scope.query(measures=("calls",), base=None, compare=""), now=now).trust
    found = {
        **alert_one.page(one, scope=scope, facts=known, now=now),
        "alert": one,
        "edits": allows(member.role, needed="editor"),
        "is_open": one.resolved_at is None,
        "is_muted": one.muted_until is not None and one.muted_until > now,
        "trust_line": trust_line(scope, trust),
        "frame": frame_for(member, now=now, place="Guardrails", scope=scope, trust=trust, compares=False),
    }
    return render(request, "dashboard/alert.html", found)


def the_alert(project: Project, number: int) -> Alert:
    """Raises Http404."""
    rows = Alert.objects.filter(project=project, pk=number, state__in=SHOWN)
    found = rows.select_related("rule", "rule__project", "grouped_under").first()
    if found is None:
        raise Http404("There is no such alert.")
    return found


def _scope(request: HttpRequest, one: Alert, project: Project, now: datetime) -> Scope:
    """The alert's own day unless the URL names a period; from the evening before if it began soon after midnight."""
    given = request.GET.copy()
    if not any(name in given for name in ("period", "from")):
        tz = ZoneInfo(project.zone)
        first = (one.since - timedelta(hours=1)).astimezone(tz).date()
        last = (one.resolved_at or one.evaluated_until).astimezone(tz).date()
        if first == now.astimezone(tz).date():
            given["period"] = "today"
        else:
            given["from"], given["until"] = (
                first.isoformat(),
                min(last, first + timedelta(days=6)).isoformat(),
            )
    given["compare"] = "none"
    _environment(given, one)
    return scopes.read(given, project=project, now=now, path=reverse("alert", args=[project.slug, one.pk]))


def _environment(given: QueryDict, one: Alert) -> None:
    """The environments that the rule watches."""
    if one.rule is not None and "environment" in one.rule.filters and "environment" not in given:
        given.setlist("environment", one.rule.filters["environment"])


@require_POST
@project_page("editor")
def acknowledge(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Reminders end."""
    one = the_alert(member.project, number)
    acts.acknowledge(one, by=member.user.name or member.user.email, now=timezone.now())
    return redirect("alert", member.project.slug, number)


@require_POST
@project_page("editor")
def mute(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """Silence for an hour, or as long as the form says."""
    one = the_alert(member.project, number)
    length = acts.mute_length(request.POST.get("for") or "1h")
    acts.mute(one, length, by=member.user.name or member.user.email, now=timezone.now())
    return redirect("alert", member.project.slug, number)

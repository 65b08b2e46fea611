"""Rules: what is watched, and the form that makes one."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.access import allows, member_for
from accounts.errors import ApiError
from accounts.models import Member, Project
from analytics.dimensions import DIMENSIONS, RAW
from analytics.measures import MEASURES
from dashboard import formats, guardrails_nav
from dashboard.frame import frame_for
from dashboard.guard import project_page
from guardrails import acts, spans, wording
from guardrails import rules as engine_rules
from guardrails.alert_models import FIRED, Alert, Channel, Rule
from guardrails.configuring import save_rule

CONDITIONS = (
    ("above", "is above"), ("below", "is below"), ("change_over", "moved by more than … % against the same hours"),
    ("no_data", "has no data"),
)  # fmt: skip
WINDOWS = ("15min", "30min", "1h", "4h", "1d", "7d", *spans.CALENDAR)
FILTERS = ("flow", "feature", "model", "provider", "customer", "environment")
DAYS = tuple((day, day.capitalize()) for day in spans.DAYS)


@project_page()
def rules(request: HttpRequest, member: Member) -> HttpResponse:
    """All rules, those that fire first."""
    project = member.project
    found = {
        "rows": _rows(project),
        "edits": allows(member.role, needed="editor"),
        "nav": guardrails_nav.nav(project, "rules"),
        "frame": frame_for(member, now=timezone.now(), place="Guardrails"),
    }
    return render(request, "dashboard/rules.html", found)


def _rows(project: Project) -> list[dict[str, Any]]:
    firing: dict[int, int] = {}
    open_ones = Alert.objects.filter(project=project, resolved_at=None, state__in=FIRED, rule__isnull=False)
    for number in open_ones.values_list("rule_id", flat=True):
        firing[number or 0] = firing.get(number or 0, 0) + 1
    stored = Rule.objects.filter(project=project).select_related("depends_on", "project").order_by("name")
    rows = [
        {"rule": rule, "says": _says(rule), "scope": wording.scope(rule), "each": rule.each.replace("_", " "),
         "firing": firing.get(rule.pk, 0), "channels": ", ".join(rule.channels) or formats.MISSING}
        for rule in stored
    ]  # fmt: skip
    return sorted(rows, key=lambda row: -row["firing"])


def _says(rule: Rule) -> str:
    if rule.measure not in MEASURES:
        return f"{rule.measure}, which is not known any more"
    return f"{MEASURES[rule.measure].label} {wording.condition(rule)}"


@project_page("editor")
def new(request: HttpRequest, member: Member) -> HttpResponse:
    """The form, filled from the URL; or the rule that it makes."""
    return _form(request, member, None)


@project_page()
def edit(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """One rule in the form; viewers see it and cannot save."""
    if request.method == "POST":
        member_for(request, slug=member.project.slug, role="editor")
    return _form(request, member, _rule(member, number))


def _rule(member: Member, number: int) -> Rule:
    found = (
        Rule.objects.filter(project=member.project, pk=number).select_related("project", "depends_on").first()
    )
    if found is None:
        raise Http404("There is no such rule.")
    return found


def _form(request: HttpRequest, member: Member, known: Rule | None) -> HttpResponse:
    project, now = member.project, timezone.now()
    problem: dict[str, str | None] = {}
    given: Mapping[str, Any] = typed(known) if known else {**EMPTY, **request.GET.dict()}
    if request.method == "POST":
        given = request.POST.dict() | {
            name: request.POST.getlist(name) for name in ("channels", "quiet_days")
        }
        try:
            with transaction.atomic():
                rule = save_rule(
                    body(request.POST), project=project, now=now, by=member.user.email, known=known
                )
        except ApiError as refusal:
            problem = {"field": refusal.field, "message": refusal.message, "hint": refusal.hint}
        except IntegrityError:
            problem = {
                "field": "name",
                "message": "There is a rule of that name already.",
                "hint": "Choose another.",
            }
        else:
            messages.info(request, f"{rule.name} is watched from the next minute on.")
            return redirect("rules", project.slug)
    found = {
        "known": known, "given": given, "problem": problem,
        "measures": [(name, measure.label) for name, measure in MEASURES.items()],
        "conditions": CONDITIONS, "windows": WINDOWS,
        "filters": [(name, given.get(f"filter_{name}", "")) for name in FILTERS],
        "dimensions": [(one.name, one.label) for one in DIMENSIONS.values() if one.sources != frozenset({RAW})],
        "channels": list(Channel.objects.filter(project=project).order_by("name").values_list("name", flat=True)),
        "others": list(Rule.objects.filter(project=project).exclude(pk=known.pk if known else 0)
                       .order_by("name").values_list("name", flat=True)[:200]),
        "days": DAYS, "edits": allows(member.role, needed="editor"),
        "nav": guardrails_nav.nav(project, "rules"),
        "frame": frame_for(member, now=now, place="Guardrails"),
    }  # fmt: skip
    return render(request, "dashboard/rule.html", found, status=400 if problem else 200)


EMPTY = {"measure": "error_rate", "condition": "above", "window": "1h", "channels": (), "quiet_days": ()}


def typed(rule: Rule) -> dict[str, Any]:
    """A stored rule as the form has it."""
    condition = engine_rules.condition_of(rule)
    quiet: dict[str, Any] = next((one for one in rule.mutes if "to" in one), {})
    return {
        "name": rule.name, "measure": rule.measure, "condition": condition.kind,
        "limit": "" if condition.limit is None else f"{condition.limit:f}", "window": rule.window, "each": rule.each,
        "for": rule.hold, "renotify": rule.renotify, "min_count": rule.min_count or "", "channels": rule.channels,
        "depends_on": rule.depends_on.name if rule.depends_on else "",
        "quiet_from": quiet.get("from", ""), "quiet_to": quiet.get("to", ""), "quiet_days": quiet.get("days", ()),
        **{f"filter_{name}": ", ".join(values) for name, values in rule.filters.items()},
        "filter_more": "; ".join(
            f"{name}={', '.join(values)}" for name, values in rule.filters.items() if name not in FILTERS),
    }  # fmt: skip


def body(form: QueryDict) -> dict[str, Any]:
    """The rule's JSON from what was typed. Raises ApiError 400."""
    kind = form.get("condition", "")
    limit = _number(form.get("limit", ""), form.get("measure", "")) if kind != "no_data" else None
    condition: Any = "no_data" if kind == "no_data" else {kind: limit}
    if kind == "change_over":
        condition["against"] = "same_hours"
    filters = {name: _listed(form.get(f"filter_{name}", "")) for name in FILTERS}
    filters |= _more(form.get("filter_more", ""))
    return {
        "name": form.get("name", ""), "measure": form.get("measure", ""), "condition": condition,
        "filters": {name: values for name, values in filters.items() if values}, "each": form.get("each", ""),
        "window": form.get("window", ""), "for": form.get("for", ""), "renotify": form.get("renotify", ""),
        "min_count": _whole(form.get("min_count", "")), "channels": form.getlist("channels"),
        "depends_on": form.get("depends_on", ""), "mutes": _mutes(form),
    }  # fmt: skip


def _listed(text: str) -> list[str]:
    return [value.strip() for value in text.split(",") if value.strip()]


def _more(text: str) -> dict[str, list[str]]:
    """Filters by other dimensions: `prompt=triage; release=web@4.2.0, web@4.3.0`."""
    pairs = (part.partition("=") for part in text.split(";") if part.strip())
    return {name.strip(): _listed(values) for name, _, values in pairs}


def _mutes(form: QueryDict) -> list[dict[str, Any]]:
    if not (form.get("quiet_from") and form.get("quiet_to")):
        return []
    days = form.getlist("quiet_days")
    return [{"from": form["quiet_from"][:5], "to": form["quiet_to"][:5]} | ({"days": days} if days else {})]


def _whole(text: str) -> int:
    cleaned = text.strip().replace(",", "")
    if not cleaned:
        return 0
    if not (cleaned.isascii() and cleaned.isdigit() and len(cleaned) < 10):
        raise ApiError(
            400, "invalid", f"{text[:20]!r} is no whole number.", field="min_count", hint="Write it like 30."
        )
    return int(cleaned)


def _number(text: str, measure: str) -> str:
    """A limit as typed: 3 % is 0.03, 4 s is 4000 ms, $50 is 50."""
    cleaned = text.strip().lstrip("$").replace(",", "").strip()
    for suffix, unit, factor in (
        ("%", "ratio", Decimal("0.01")),
        ("ms", "ms", Decimal(1)),
        ("s", "ms", Decimal(1000)),
    ):
        known = MEASURES.get(measure)
        if cleaned.endswith(suffix) and known is not None and known.unit == unit:
            return f"{_decimal(cleaned.removesuffix(suffix).strip()) * factor:f}"
    return f"{_decimal(cleaned.removesuffix('%').strip()):f}"


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as problem:
        raise ApiError(
            400,
            "invalid",
            f"{text[:20]!r} is no number.",
            field="limit",
            hint="Write it like 0.03, 3 %, 4 s or 50.",
        ) from problem


@require_POST
@project_page("editor")
def delete(request: HttpRequest, member: Member, number: int) -> HttpResponse:
    """The rule goes, its alerts stay in the history."""
    rule = _rule(member, number)
    acts.delete_rule(rule, by=member.user.email, now=timezone.now())
    messages.info(request, f"{rule.name} is not watched any more. Its alerts stay in the history.")
    return redirect("rules", member.project.slug)

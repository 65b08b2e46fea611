"""Month: what do we book, and what stands in the way?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.access import allows
from accounts.currencies import CURRENCIES
from accounts.errors import ApiError
from accounts.models import Member, Project
from analytics.answer import answer
from analytics.dimensions import DIMENSIONS, NONE
from analytics.measures import QUOTIENT
from analytics.periods import months_before
from dashboard import formats, month_lists, spans_of_time
from dashboard import scope as scopes
from dashboard.empties import extent_of
from dashboard.frame import Choice, Frame, frame_for
from dashboard.guard import project_page
from dashboard.kinds import kind_of
from dashboard.month_facts import Facts, checks, money, month_answer
from dashboard.month_table import CENTRE, Plan, Table, table
from dashboard.scope import ALL, Scope
from dashboard.trust_line import price_book, trust_line, unpriced_url
from finance import months
from finance.api import month_asked
from finance.exports import FORMS
from finance.invoices import TOLERANCE, reconciliation
from finance.schedules import MOST_RECIPIENTS
from finance.statement import GROUPS, UNIT, Ask, Statement, statement
from guardrails.models import Budget

BY = tuple(name for name in ("feature", "flow", "owner", "provider", "model", UNIT) if name in GROUPS)
ACROSS = tuple(name for name in ("provider", "model", "environment", UNIT) if name in GROUPS)
WITH_CENTRE = ("feature", "flow", "owner")  # what a cost centre divides
# By what an export's lines may be.
LINES = tuple(
    names
    for names in (
        ("feature", "provider", "model"),
        ("cost_centre", "feature"),
        ("cost_centre", "feature", "flow", "provider", "model"),
        ("flow", "model"),
        ("provider", "model"),
        ("feature", UNIT),
    )
    if set(names) <= set(GROUPS)
)


@project_page()
def finance(request: HttpRequest, member: Member) -> HttpResponse:
    """The month that ended last, if it has calls, else the one that runs; `period=mtd` and `last_month` choose."""
    now, project = timezone.now(), member.project
    running = months.current_month(project.zone, now)
    last, extent = months_before(running, 1), extent_of(project)
    has_last = extent is not None and extent.first < running
    wanted = {"mtd": running, "last_month": last}.get(request.GET.get("period", ""))
    return redirect("month", project.slug, months.month_text(wanted or (last if has_last else running)))


@project_page()
def month(request: HttpRequest, member: Member, month: str) -> HttpResponse:
    """The page of one month."""
    now = timezone.now()
    first = month_asked(month, zone=member.project.zone, now=now)
    return render(request, "dashboard/month.html", _Page(member, first, request.GET, now).context())


def _lines(*, centre_first: bool) -> list[tuple[str, str]]:
    """What an export's lines may be, value and words; by cost centre first where there are any."""
    ordered = sorted(LINES, key=lambda names: CENTRE not in names) if centre_first else LINES
    return [(",".join(names), ", ".join(_label(name).lower() for name in names)) for names in ordered]


@dataclass
class _Page:
    """Everything on the page of one month."""

    member: Member
    first: date
    given: QueryDict
    now: datetime

    @property
    def project(self) -> Project:
        return self.member.project

    def context(self) -> dict[str, Any]:
        """What the template needs."""
        by, across = self._by()
        found = self._statement(by, across)
        scope, agreed = self._scope(), reconciliation(self.project, self.first, now=self.now)
        facts = Facts(project=self.project, found=found, agreed=agreed, no_centre=self._no_centre(found),
                      now=self.now, unpriced_url=unpriced_url(scope))  # fmt: skip
        edits = allows(self.member.role, needed="editor")
        plan = Plan(
            found=found, by=by, across=across, link=partial(_explore, scope, by), calls=partial(_calls, scope),
            budgets=self._budgets(by, found), kind=kind_of(self.project, by),
        )  # fmt: skip
        made = table(plan)
        return {
            "month": months.month_text(self.first),
            "name": f"{self.first:%B %Y}",
            "answer": month_answer(facts),
            "found": found,
            "table": made,
            "note": self._note(found, made),
            "before_name": _base_name(found),
            "notes": self._notes(found, made),
            "by": self._choices("by", BY, by),
            "across": self._choices("across", [one for one in ACROSS if one != by], across),
            "checks": checks(facts),
            "agreed": month_lists.reconciled(agreed, found.shown),
            "tolerance": formats.rate(TOLERANCE),
            "invoices": month_lists.invoices(self.project, self.first),
            "providers": [row.provider for row in agreed.rows],
            "exports": month_lists.exports(self.project, self.first, now=self.now),
            "forms": FORMS.values(),
            "lines": _lines(centre_first=facts.no_centre is not None),
            "has_centres": facts.no_centre is not None,
            "since": month_lists.since_export(self.project, self.first, found.shown, now=self.now),
            "schedules": month_lists.schedules(self.project, now=self.now),
            "mails": bool(settings.EMAIL_URL),
            "most_recipients": MOST_RECIPIENTS,
            "rates": month_lists.rates(self.project),
            "currencies": sorted(CURRENCIES),
            "shown": found.shown,
            "edits": edits,
            "owns": allows(self.member.role, needed="owner"),
            "today": self.now.astimezone(found.period.tz).date().isoformat(),
            "price_book": price_book(found.trust),
            "bounds": _bounds(found),
            "complete": formats.moment(found.complete_until, zone=found.period.zone, now=self.now),
            "trust_line": trust_line(scope, found.trust),
            "frame": self._frame(scope, found),
            "back": self._url(months_before(self.first, 1)),
            "back_name": f"{months_before(self.first, 1):%B}",
        }  # fmt: skip

    def _by(self) -> tuple[str, str]:
        by = _known("by", self.given.get("by", ""), BY)
        others = [name for name in ACROSS if name != by]
        return by, _known("across", self.given.get("across", ""), others)

    def _statement(self, by: str, across: str) -> Statement:
        centre = (CENTRE,) if CENTRE in DIMENSIONS and by in WITH_CENTRE else ()
        return statement(
            Ask(project=self.project, month=self.first, group_by=(*centre, by, across)), now=self.now
        )

    def _scope(self) -> Scope:
        """The month as other pages are asked for it."""
        return self._read(
            f"environment={ALL}&from={self.first}&to={months.month_after(self.first)}&compare=none"
        )

    def _read(self, text: str) -> Scope:
        path = self._url(self.first)
        return scopes.read(QueryDict(text), project=self.project, now=self.now, path=path)

    def _no_centre(self, found: Statement) -> Decimal | None:
        """The share of the month that has no cost centre; None where there is none at all."""
        if CENTRE not in DIMENSIONS or not found.total.usd:
            return None
        query = replace(Ask(project=self.project, month=self.first, group_by=(CENTRE,)).query(found.period),
                        measures=("cost",))  # fmt: skip
        costs = {
            group[0]: line["cost"]
            for group, line in answer(query, now=self.now, trust=False).by_group().items()
        }
        if set(costs) <= {NONE}:
            return None
        return QUOTIENT.divide(costs.get(NONE) or Decimal(0), found.total.usd)

    def _budgets(self, by: str, found: Statement) -> dict[str, str]:
        """Monthly budgets of the rows and of the whole, over all environments."""
        kept = Budget.objects.filter(project=self.project, window="month", unit="USD", environment="*")
        return {
            (one.value if one.dimension else ""): money(found.shown.of(one.limit), found.shown.currency)
            for one in kept.filter(dimension__in=("", by)).order_by("-limit")
        }

    def _choices(self, name: str, known: Any, current: str) -> tuple[Choice, ...]:
        given = {key: self.given.get(key, "") for key in ("by", "across")}
        return tuple(
            Choice(_label(one), scopes.address(self._url(self.first), {
                key: (value,) for key, value in {**given, name: one}.items() if value}), one == current)
            for one in known
        )  # fmt: skip

    def _note(self, found: Statement, made: Table) -> str:
        state = "runs" if found.running else "ended"
        lines = f"{formats.count(made.lines)} {'line' if made.lines == 1 else 'lines'}"
        return f"{found.shown.words()}, all environments, {_bounds(found)}; {state}, {lines}"

    def _notes(self, found: Statement, made: Table) -> list[str]:
        said = ["Each figure is the exact sum, rounded once; exports carry every digit."]
        if found.shown.converted:
            said.append(
                f"All amounts, {_base_name(found)} too, at {found.shown.words().partition(' at ')[2]}."
            )
        if found.incomplete_calls:
            said.append(f"{formats.count(found.incomplete_calls)} calls without their whole price: what is unknown is "
                        "not in it.")  # fmt: skip
        if found.unattributed.calls:
            amount = money(found.unattributed.amount, found.shown.currency)
            said.append(
                f"(unattributed): {formats.count(found.unattributed.calls)} calls that named no flow, {amount}."
            )
        if made.budgets:
            said.append("Budgets: of a month, over all environments.")
        if found.cut:
            said.append(f"(rest) holds {formats.count(found.cut)} lines beyond the 10,000 largest.")
        return [*said, *found.notes]

    def _url(self, month: date) -> str:
        return reverse("month", args=[self.project.slug, months.month_text(month)])

    def _frame(self, scope: Scope, found: Statement) -> Frame:
        """The context bar of money pages: all environments, in plain text, and months only."""
        plain = replace(scope, params={})
        made = frame_for(
            self.member, now=self.now, place="Finance", scope=plain, trust=found.trust, compares=False
        )
        running = months.current_month(self.project.zone, self.now)
        after = months.month_after(self.first)
        bar = (("Month to date", running, "m"), ("Last month", months_before(running, 1), "l"))
        assert made.context is not None  # noqa: S101 - it has a scope
        context = replace(
            made.context, environment="All environments", environments=(), other_environment=False,
            periods=tuple(Choice(label, self._url(one), one == self.first, key=key, long=f"{one:%B %Y}")
                          for label, one, key in bar),
            dates=f"{self.first:%B %Y}", until_day="", against=_base_name(found),
            back=self._url(months_before(self.first, 1)), on=self._url(after) if after <= running else "",
        )  # fmt: skip
        return replace(made, context=context)


def _known(field: str, text: str, known: Any) -> str:
    if text and text not in known:
        raise ApiError(422, "bad_query", f"A statement is not shown by {text[:40]!r}.", field=field,
                       hint=f"Use one of {', '.join(known)}.")  # fmt: skip
    return text or known[0]


def _label(name: str) -> str:
    return {UNIT: "Kind of unit"}.get(name, DIMENSIONS[name].label)


def _base_name(found: Statement) -> str:
    """October; of a running month the stretch that it is held against: 1–24 Oct."""
    return spans_of_time.dates(found.base, year=False) if found.running else f"{found.base.first_day:%B}"


def _bounds(found: Statement) -> str:
    start, end = (one.astimezone(found.period.tz) for one in (found.period.start, found.period.end))
    until = f"{formats.day(end.date(), year=True)} {end:%H:%M}"
    return f"{formats.day(start.date())} {start:%H:%M} to {until} {found.period.zone}"


def _explore(scope: Scope, by: str, narrowed: Mapping[str, str]) -> str:
    """A line leads one step down: Explore, narrowed to it, by the next dimension."""
    following = {"feature": "flow", "flow": "model", "owner": "feature", "provider": "model"}.get(by, "flow")
    if UNIT in narrowed:
        return scope.url(reverse("explore", args=[scope.project.slug]), group_by=UNIT)
    return scope.url(reverse("explore", args=[scope.project.slug]), group_by=following, **narrowed)


def _calls(scope: Scope, narrowed: Mapping[str, str]) -> str:
    """The calls behind a figure; a kind of unit divides none."""
    known = {name: value for name, value in narrowed.items() if name != UNIT}
    return scope.url(reverse("calls", args=[scope.project.slug]), compare=None, **known)

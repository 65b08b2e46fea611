"""What every page has around it: header, context bar, banner. One frozen value, made once per request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db import connection
from django.urls import reverse

from accounts.access import projects_of
from accounts.models import Member, Project, User
from analytics import periods as calendar
from analytics.trust import Trust
from dashboard import alarms, formats, spans_of_time
from dashboard.keys import KEYS, Key
from dashboard.scope import ALL, Scope, comparison_of

BEHIND_SECONDS = 300
PLACES = (
    ("Overview", "overview", "g o"),
    ("Explore", "explore", "g e"),
    ("Quality", "quality", "g q"),
    ("Guardrails", "budgets", "g g"),
    ("Finance", "finance", "g f"),
    ("Settings", "settings", "g s"),
)
THEMES = (("light", "Light"), ("dark", "Dark"), ("system", "As the system"))


@dataclass(frozen=True, slots=True)
class Choice:
    """One item of a menu or bar."""

    label: str
    href: str = ""
    current: bool = False
    note: str = ""
    key: str = ""
    value: str = ""
    long: str = ""


@dataclass(frozen=True, slots=True)
class Banner:
    """The line above all pages that says demo data is about."""

    title: str
    text: str
    links: tuple[Choice, ...] = ()
    remove_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The context bar. What a page does not use is empty and left out."""

    environment: str
    other_environment: bool
    environments: tuple[Choice, ...]
    freshness: str
    behind: bool
    has_data: bool
    zone: str
    periods: tuple[Choice, ...] = ()  # the bar's, shown twice
    dates: str = ""
    dates_long: str = ""
    back: str = ""
    on: str = ""
    against: str = ""
    comparisons: tuple[Choice, ...] = ()
    from_day: str = ""
    until_day: str = ""
    hidden: tuple[tuple[str, str], ...] = ()
    filters_in_words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Header, banner and context bar of one page."""

    project: Project
    role: str
    home: str
    places: tuple[Choice, ...]
    projects: tuple[Choice, ...]
    initials: str
    themes: tuple[Choice, ...]
    banner: Banner | None
    context: Context | None
    made: str
    stale: str = ""  # a sentence when alerts are no longer evaluated
    keys: tuple[Key, ...] = KEYS


def frame_for(
    member: Member,
    *,
    now: datetime,
    place: str,
    scope: Scope | None = None,
    trust: Trust | None = None,
    compares: bool = True,
) -> Frame:
    """The frame of one page. `scope`: without one there is no context bar; `compares`: whether it compares."""
    project, user = member.project, member.user
    others = tuple(projects_of(user))
    pulse = alarms.pulse(project, now=now)
    return Frame(
        project=project,
        role=member.role,
        home=reverse("overview", args=[project.slug]),
        places=_places(project, place, scope, pulse.firing),
        projects=tuple(
            Choice(
                p.name, reverse("overview", args=[p.slug]), p.id == project.id, "demo" if p.is_demo else ""
            )
            for p in others
        ),
        initials=_initials(user),
        themes=tuple(Choice(label, value=value, current=user.theme == value) for value, label in THEMES),
        banner=_banner(project, others, member.role),
        context=_context(scope, trust, compares=compares) if scope else None,
        made=formats.moment(now, zone=project.zone, now=now),
        stale=pulse.stale,
    )


def _places(project: Project, place: str, scope: Scope | None, firing: int) -> tuple[Choice, ...]:
    links = ((label, reverse(name, args=[project.slug]), key) for label, name, key in PLACES)
    return tuple(
        Choice(
            label,
            scope.elsewhere(href) if scope else href,
            label == place,
            key=key,
            value=str(firing) if firing and label == "Guardrails" else "",
        )
        for label, href, key in links
    )


def _initials(user: User) -> str:
    words = (user.name or user.email.split("@")[0].replace(".", " ").replace("-", " ")).split()
    return "".join(word[0] for word in words[:2]).upper() or "?"


def _banner(project: Project, others: Sequence[Project], role: str) -> Banner | None:
    demo = next((p for p in others if p.is_demo), None)
    if demo is None:
        return None
    if project.is_demo:
        own = next((p for p in others if not p.is_demo), None)
        links = (Choice(f"Go to {own.name}", reverse("overview", args=[own.slug])),) if own else ()
        return Banner(
            "This is demo data.",
            "Made-up traffic of a support product, so that every page has something to show; it never mixes "
            "with yours.",
            links,
            reverse("remove_demo", args=[demo.slug]) if role == "owner" else "",
        )
    return None


def demo_beside(member: Member) -> Banner | None:
    """The banner of one's own, still empty project: demo data runs beside it."""
    demo = projects_of(member.user).filter(is_demo=True).exclude(id=member.project_id).first()
    if demo is None:
        return None
    owns = Member.objects.filter(project=demo, user=member.user, role="owner").exists()
    return Banner(
        "Demo data is running beside your project.",
        "Made-up traffic of a support product, so that every page has something to show; it never mixes with yours.",
        (Choice("Look at the demo", reverse("overview", args=[demo.slug])),),
        reverse("remove_demo", args=[demo.slug]) if owns else "",
    )


def _context(scope: Scope, trust: Trust | None, *, compares: bool) -> Context:
    period, project = scope.period, scope.project
    chosen = scope.environments
    name = ", ".join(chosen) if chosen else "All environments"
    freshness, behind, has_data = _freshness(scope, trust)
    first, last = period.first_day, period.last_day
    return Context(
        environment=name[:1].upper() + name[1:],
        other_environment=chosen != (project.main_environment,),
        environments=_environments(scope),
        freshness=freshness,
        behind=behind,
        has_data=has_data,
        zone=period.zone,
        periods=_periods(scope),
        dates=spans_of_time.dates(period),
        dates_long=spans_of_time.dates_reached(period),
        back=_dates_url(scope, spans_of_time.back(period)),
        on=_dates_url(scope, spans_of_time.on(period, scope.now)),
        against=_against(scope),
        comparisons=_comparisons(scope) if compares else (),
        from_day=first.isoformat(),
        until_day=last.isoformat(),
        hidden=tuple(
            (name, value)
            for name, values in scope.params.items()
            if name not in ("period", "from", "to", "after")
            for value in values
        ),
        filters_in_words="; ".join(
            f"{one.dimension.replace('_', ' ')} {'is not' if one.negated else 'is'} {', '.join(one.values)}"
            for one in scope.filters
        ),
    )


def _freshness(scope: Scope, trust: Trust | None) -> tuple[str, bool, bool]:
    """(text, behind, has data)"""
    if trust is None:
        return "", False, False
    if not trust.calls and not known_environments(scope.project):
        return "No data yet", False, False
    until = trust.complete_until.astimezone(ZoneInfo(scope.period.zone))
    same_day = until.date() == scope.now.astimezone(until.tzinfo).date()
    shown = f"{until:%H:%M}" if same_day else formats.moment(until, zone=scope.period.zone, now=scope.now)
    if trust.lag_seconds > BEHIND_SECONDS:
        return f"Complete to {shown} only", True, True
    return f"Complete to {shown}", False, True


def _environments(scope: Scope) -> tuple[Choice, ...]:
    main = scope.project.main_environment
    chosen = scope.environments
    names = [main, *(name for name in known_environments(scope.project) if name != main)]
    named = [
        Choice(
            name, scope.url(environment=name, after=None), chosen == (name,), "main" if name == main else ""
        )
        for name in names
    ]
    return (*named, Choice("All environments", scope.url(environment=ALL, after=None), not chosen))


def known_environments(project: Project) -> list[str]:
    """Environments that calls have named, by name; remembered for half a minute."""
    key = f"environments:{project.id}"
    found: list[str] | None = cache.get(key)
    if found is None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT environment FROM series WHERE project_id = %s ORDER BY 1 LIMIT 50",
                [project.id],
            )
            found = [row[0] for row in cursor.fetchall()]
        cache.set(key, found, 30)
    return found


def _periods(scope: Scope) -> tuple[Choice, ...]:
    current = scope.period.name
    found = []
    for word, key, label in spans_of_time.BAR:
        period = calendar.named(word, zone=scope.period.zone, now=scope.now)
        note = spans_of_time.dates(period, year=False)
        long = calendar.NAMED[word].label
        found.append(Choice(label, scope.with_period(period=word), current == word, note, key, long=long))
    return tuple(found)


def _dates_url(scope: Scope, bounds: tuple[object, object] | None) -> str:
    """A link to a stretch of whole days: (first day, day after the last)."""
    return scope.with_period(**{"from": str(bounds[0]), "to": str(bounds[1])}) if bounds else ""


def _against(scope: Scope) -> str:
    return (
        spans_of_time.dates(scope.base, year=scope.base.first_day.year != scope.period.first_day.year)
        if (scope.base)
        else "nothing"
    )


def _comparisons(scope: Scope) -> tuple[Choice, ...]:
    current = comparison_of(scope)
    toggle = "none" if current != "none" else "previous"
    return tuple(
        Choice(label, scope.url(compare=word, after=None), word == current, key="x" if word == toggle else "")
        for word, label in spans_of_time.AGAINST
    )

"""Projects: made, and changed with a line in the audit log for each change."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts import audit, links, redaction
from accounts.currencies import CURRENCIES
from accounts.members import add_member
from accounts.models import Project, User
from accounts.zones import known_zones, nearest_zone, next_midnight

MAX_TRACKED_TAGS = 8
# Slugs that would read like one of the product's own addresses.
_ADDRESSES = "accounts api go healthz metrics new opik projects readyz settings static v1"
RESERVED = frozenset(_ADDRESSES.split())
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class BadValueError(ValueError):
    """A value that cannot be saved: which field, why, and what to do."""

    def __init__(self, field: str, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.field, self.message, self.hint = field, message, hint


def _text(field: str, value: object, longest: int) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not 0 < len(text) <= longest or _CONTROL.search(text):
        raise BadValueError(
            field, f"This {field} cannot be used.", f"Write 1 to {longest} characters on one line."
        )
    return text


def valid_name(value: object) -> str:
    """A project's name."""
    return _text("name", value, 100)


def valid_environment(value: object) -> str:
    """The name of a main environment."""
    return _text("environment", value, 100)


def valid_zone(value: object) -> str:
    """An IANA time zone."""
    if not isinstance(value, str) or value not in known_zones():
        raise BadValueError(
            "zone",
            f"There is no time zone {str(value)[:60]!r}.",
            f"Write a name like {nearest_zone(str(value)[:60])}.",
        )
    return value


def valid_currency(value: object) -> str:
    """A currency's ISO 4217 code, in capitals."""
    code = value.strip().upper() if isinstance(value, str) else ""
    if code not in CURRENCIES:
        raise BadValueError(
            "currency",
            f"There is no currency {str(value)[:10]!r}.",
            "Write its ISO 4217 code, for instance USD or EUR.",
        )
    return code


def valid_redactions(value: object) -> list[dict[str, str]]:
    """Redaction rules, as `accounts.redaction` describes them."""
    try:
        return redaction.validate(value)
    except redaction.BadRuleError as problem:
        raise BadValueError("redactions", str(problem), "Patterns are RE2's.") from problem


def valid_tags(value: object) -> list[str]:
    """The tag keys that become dimensions."""
    if not isinstance(value, list) or len(set(map(str, value))) > MAX_TRACKED_TAGS:
        raise BadValueError("tracked_tags", "Too many tags are tracked.", f"Name at most {MAX_TRACKED_TAGS}.")
    return list(dict.fromkeys(_text("tag", key, 100) for key in value))


def valid_switch(value: object) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise BadValueError("switch", "This is neither on nor off.", "Give true or false.")
    return value


def valid_link(field: str) -> Callable[[object], str]:
    """A check of link templates with this field (accounts/links.py)."""

    def check(value: object) -> str:
        try:
            return links.valid_template(value if isinstance(value, str) else "", field)
        except links.BadLinkError as problem:
            raise BadValueError(f"{field} link", str(problem), "Leave it empty for no link.") from problem

    return check


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a project: how it is checked, and what the audit log calls its change."""

    check: Callable[[object], Any]
    action: str


SETTINGS = {
    "name": Setting(valid_name, "project.renamed"),
    "zone": Setting(valid_zone, "project.zone_changed"),
    "currency": Setting(valid_currency, "project.currency_changed"),
    "main_environment": Setting(valid_environment, "project.environment_changed"),
    "keep_content": Setting(valid_switch, "project.content_changed"),
    "redactions": Setting(valid_redactions, "project.redactions_changed"),
    "tracked_tags": Setting(valid_tags, "project.tags_changed"),
    "tracer_link": Setting(valid_link("trace_id"), "project.tracer_link_changed"),
    "repository_link": Setting(valid_link("release"), "project.repository_link_changed"),
    "hidden_getting_started": Setting(valid_switch, "project.getting_started_changed"),
}


@transaction.atomic
def create_project(
    *, name: str, zone: str = "UTC", currency: str = "USD", owners: Iterable[User] = (), by: audit.By = None,
    slug: str | None = None, is_demo: bool = False,
) -> Project:  # fmt: skip
    """Make a project; its slug comes from its name, with a number where that one is taken.

    `slug` asks for that very slug (the first start's `default` and `demo`).
    Raises BadValueError for a name, zone, currency or slug that cannot be used."""
    fields = {"name": valid_name(name), "zone": valid_zone(zone), "currency": valid_currency(currency)}
    project = _insert(fields | {"is_demo": is_demo}, slug=slug)
    actor = audit.actor_name(by)
    audit.record(project=project, actor=actor, action="project.created", target=project.slug, **fields)
    for owner in owners:
        add_member(project=project, user=owner, role="owner", by=by)
    return project


def _insert(fields: dict[str, Any], *, slug: str | None) -> Project:
    wanted = slug or slugify(fields["name"])[:50].strip("-") or "project"
    for attempt in range(1, 1000):
        candidate = wanted if attempt == 1 else f"{wanted}-{attempt}"
        if slug is None and (candidate in RESERVED or Project.objects.filter(slug=candidate).exists()):
            continue
        try:
            with transaction.atomic():  # two at once may find the same slug free
                return Project.objects.create(slug=candidate, **fields)
        except IntegrityError:
            if slug is not None:
                break
    raise BadValueError("slug", f"The slug {wanted} is taken.", "Choose another name.")


@transaction.atomic
def change_project(
    *, project: Project, changes: Mapping[str, object], by: audit.By, now: datetime
) -> list[str]:
    """Change settings (keys of SETTINGS), all or none; returns those that became different.

    Each leaves an audit line with what it was and what it is; the given object is brought up to date.
    Raises BadValueError for the first bad value. A new zone applies from the next midnight: see zones.py."""
    fresh = Project.objects.select_for_update().get(id=project.id)
    checked = {name: _checked(name, value) for name, value in changes.items()}
    changed = [name for name, value in checked.items() if getattr(fresh, name) != value]
    for name in changed:
        before = getattr(fresh, name)
        setattr(fresh, name, checked[name])
        audit.record(
            project=fresh,
            actor=audit.actor_name(by),
            action=SETTINGS[name].action,
            target=fresh.slug,
            before=before,
            after=checked[name],
        )
        if name == "zone":
            _remember_zone(fresh, before, now=now)
    fresh.save(update_fields=[*changed, "earlier_zones"])
    project.refresh_from_db()
    return changed


def _checked(name: str, value: object) -> Any:
    if name not in SETTINGS:
        raise BadValueError(name, f"A project has no setting {name}.", f"There are {', '.join(SETTINGS)}.")
    return SETTINGS[name].check(value)


def _remember_zone(project: Project, before: str, *, now: datetime) -> None:
    """The zone until the next midnight is the one before; one that never came to apply is forgotten."""
    until = next_midnight(now, zone=project.zone)
    past = [row for row in project.earlier_zones if datetime.fromisoformat(row["until"]) <= now]
    waiting = [row for row in project.earlier_zones if datetime.fromisoformat(row["until"]) > now]
    held = waiting[0]["zone"] if waiting else before
    project.earlier_zones = [*past, {"zone": held, "until": until.isoformat()}]

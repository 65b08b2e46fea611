"""Declared changes: by API, by a deploy hook, by hand. Repeating one adds nothing; editing one is audited."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.utils.dateparse import parse_datetime

from accounts import audit
from accounts.models import Project
from analytics.changes_absorb import absorb
from analytics.changes_kinds import KINDS
from analytics.changes_models import Change, ChangeFlow
from analytics.changes_notice import look_again
from analytics.ledger import writing

AHEAD = timedelta(hours=1)
MAX_FLOWS = 100
FIRST_YEAR = 1970
LENGTHS = {
    "id": 200, "environment": 200, "subject": 200, "before": 400, "after": 400, "by": 200, "link": 1000, "note": 2000,
}  # fmt: skip
TEXTS = tuple(LENGTHS)
KNOWN = frozenset({"kind", "flow", "flows", "at", *TEXTS})
LINKS = ("https://", "http://")


class WrongChangeError(ValueError):
    """Why a change cannot be taken: the field, a sentence, and what to do."""

    def __init__(self, field: str, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.field, self.message, self.hint = field, message, hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A change as somebody declares it. `flows` empty = all flows; `id`: the client's, "" = by content."""

    kind: str
    at: datetime
    by: str
    flows: tuple[str, ...] = ()
    environment: str = ""
    subject: str = ""
    before: str = ""
    after: str = ""
    link: str = ""
    note: str = ""
    id: str = ""

    @property
    def key(self) -> str:
        """What tells a repeat."""
        if self.id:
            return f"id:{self.id}"
        content = (self.kind, self.flows, self.environment, self.subject, self.before, self.after,
                   self.at.astimezone(UTC).isoformat())  # fmt: skip
        return f"content:{hashlib.sha256(msgspec.json.encode(content)).hexdigest()}"


def read(given: Any, *, by: str, now: datetime) -> Declared:
    """A change from what was sent. Raises WrongChangeError."""
    if not isinstance(given, dict):
        raise WrongChangeError(
            "", "A change is an object.", 'Send {"kind": "prompt", "flow": …, "after": …}.'
        )
    kind = given.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise WrongChangeError(
            "kind", f"There is no kind {str(kind)[:40]!r}.", f"Use one of {', '.join(KINDS)}."
        )
    texts = {name: _text(given, name) for name in TEXTS}
    if texts["link"] and not texts["link"].lower().startswith(LINKS):
        raise WrongChangeError(
            "link", "A link begins with https:// or http://.", "Leave it out, or send a URL."
        )
    if not (texts["after"] or texts["before"] or texts["note"]):
        raise WrongChangeError(
            "after", "The change does not say what changed.", "Send after, before or note."
        )
    return Declared(
        kind=kind, at=_moment(given.get("at"), now), flows=_flows(given), **{**texts, "by": texts["by"] or by}
    )


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise WrongChangeError(name, f"{name} is no text.", f"Send {name} as a text.")
    text = _clean(str(value))
    if len(text) > LENGTHS[name]:
        raise WrongChangeError(name, f"{name} is longer than {LENGTHS[name]} characters.", "Shorten it.")
    return text


def _clean(text: str) -> str:
    """What Postgres cannot hold is replaced, as everywhere at the front door."""
    return "".join(
        "\ufffd" if letter == "\0" or "\ud800" <= letter <= "\udfff" else letter for letter in text
    ).strip()


def _flows(given: dict[str, Any]) -> tuple[str, ...]:
    value = given.get("flows", given.get("flow"))
    names = [value] if isinstance(value, str) else value if value is not None else []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise WrongChangeError(
            "flow", "flow is a name, flows a list of names.", "Leave it out for all flows."
        )
    cleaned = tuple(dict.fromkeys(name for name in map(_clean, names) if name))
    if len(cleaned) > MAX_FLOWS or any(len(name) > 200 for name in cleaned):
        raise WrongChangeError(
            "flow", f"At most {MAX_FLOWS} flows of 200 characters.", "Leave it out for all flows."
        )
    return cleaned


def _moment(value: Any, now: datetime) -> datetime:
    """When it happened, by default now. In the future beyond an hour it is refused."""
    if value is None or value == "":
        return now
    try:
        at = parse_datetime(value) if isinstance(value, str) else None
        utc = at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
    except (ValueError, OverflowError):
        utc = None
    if utc is None or utc.year < FIRST_YEAR:
        raise WrongChangeError("at", f"{str(value)[:40]!r} is no time.", "Write 2026-11-24T09:30:00+01:00.")
    if utc > now + AHEAD:
        raise WrongChangeError(
            "at", f"The change lies in the future: {utc:%Y-%m-%d %H:%M} UTC, and it is {now:%Y-%m-%d %H:%M}.",
            "Send it when it happens; at most an hour ahead is taken, for clocks that differ.",
        )  # fmt: skip
    return utc


def declare(project: Project, declared: Declared) -> tuple[Change, bool]:
    """Write a declared change; (change, whether it is new). The same id again replaces what it says; the same
    content again changes nothing. What was noticed of it joins it."""
    with writing(project.lane, wait=True):
        known = Change.objects.filter(project=project, key=declared.key).first()
        if known is not None:
            _replace(project, known, declared)
            return known, False
        change = Change(project=project, key=declared.key, noticed=False)
        _write(change, declared)
        absorb(change)
        change.refresh_from_db()
        return change, True


def edit(project: Project, change: Change, declared: Declared, *, actor: str) -> None:
    """Say something else of a declared change, with an audit line of what it said before."""
    with writing(project.lane, wait=True):
        was = _words(change)
        _replace(project, change, declared)
        audit.record(project=project, actor=actor, action="change.edited", target=_words(change), was=was)


def withdraw(project: Project, change: Change, *, actor: str) -> None:
    """A declared change was a mistake: it goes, and calls that carried it are noticed again."""
    with writing(project.lane, wait=True):
        names = [row.name for row in change.on_flows.all()]
        audit.record(
            project=project, actor=actor, action="change.deleted", target=_words(change), flows=names[:20]
        )
        change.delete()
        look_again(project, names)


def _replace(project: Project, change: Change, declared: Declared) -> None:
    if _content(change) == _content_of(declared):
        return
    names = list(change.on_flows.values_list("name", flat=True))
    change.on_flows.all().delete()
    _write(change, declared)
    absorb(change)
    look_again(project, [*names, *declared.flows])


def _write(change: Change, declared: Declared) -> None:
    change.kind, change.at, change.by = declared.kind, declared.at, declared.by
    change.environment, change.subject = declared.environment, declared.subject
    change.before, change.after = declared.before or None, declared.after or None
    change.link, change.note = declared.link, declared.note
    with transaction.atomic():
        change.save()
        ChangeFlow.objects.bulk_create(
            ChangeFlow(change=change, name=name, told=True) for name in declared.flows
        )


def _content(change: Change) -> tuple[Any, ...]:
    flows = sorted(row.name for row in change.on_flows.all() if row.told)
    return (change.kind, change.at, change.by, change.environment, change.subject, change.before or "",
            change.after or "", change.link, change.note, flows)  # fmt: skip


def _content_of(declared: Declared) -> tuple[Any, ...]:
    return (declared.kind, declared.at, declared.by, declared.environment, declared.subject, declared.before,
            declared.after, declared.link, declared.note, sorted(declared.flows))  # fmt: skip


def _words(change: Change) -> str:
    said = f"{change.before or '–'} → {change.after or '–'}"
    return f"{change.kind} {said} at {change.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

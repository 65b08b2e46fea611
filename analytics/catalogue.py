"""Changes of the catalogue: planned, shown, made, taken back.

A plan is a list of edits of rows (as they are, as they shall be). It is made without writing, so that a page can
show it; it is applied only while every row still is as the plan saw it; and the same edits backwards undo it. The
rollups know the raw name's id, so nothing is ever rewritten, and undo is exact.

Other names: a renamed or merged flow (or feature) stays as a row that leads to the other one. Always in one step:
whatever led to the row that goes is led to where it goes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts import audit
from accounts.models import Project
from analytics.dimensions import LABELS
from analytics.models import CatalogueChange, Feature, Flow

Entry = Flow | Feature
MODELS: dict[str, type[Flow] | type[Feature]] = {"flow": Flow, "feature": Feature}
DETAILS = {"owner": 100, "cost_centre": 100, "description": 1000}  # and their longest
# What a name takes along when the thing is renamed.
CARRIED = {
    "flow": ("feature_id", *DETAILS, "confirmed_at", "archived_at"),
    "feature": (*DETAILS, "archived_at"),
}
LONGEST = 200
NEW = 0  # stands for the row that a plan makes


class CatalogueError(ValueError):
    """Why the catalogue cannot be changed so, as a sentence with a remedy."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One row as it is and as it shall be: column -> value, times as ISO texts."""

    kind: str
    id: int
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A change that could be made. `made`: (kind, name) of a row that it needs; `moves`: names whose calls move."""

    action: str
    target: str
    says: str
    edits: tuple[Edit, ...]
    made: tuple[str, str] | None = None
    moves: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What it is about: flow or feature."""
        return self.action.split(".")[0]


def kind_of(entry: Entry) -> str:
    """flow or feature"""
    return "flow" if isinstance(entry, Flow) else "feature"


def find(project: Project, kind: str, name: str) -> Entry | None:
    """The flow or feature of that very name, another name or not."""
    found: Entry | None = MODELS[kind].objects.filter(project=project, name=name).first()
    return found


def valid_name(value: str) -> str:
    """A name for a flow or feature. Raises CatalogueError."""
    name = _line(value)
    if not 0 < len(name) <= LONGEST:
        raise CatalogueError(f"This name cannot be used. Write 1 to {LONGEST} characters on one line.")
    if name in LABELS or name.startswith("!"):
        raise CatalogueError(f"{name} has a meaning of its own here. Choose another name.")
    return name


def renamed(entry: Entry, name: str, *, now: datetime) -> Plan:
    """The plan that gives a flow or feature another name. The old one becomes another name of it.

    Where the name is that of another one, this is a merge; where it is one of its own earlier names, it comes back.
    Raises CatalogueError."""
    kind, name = kind_of(entry), valid_name(name)
    _is_itself(entry)
    if name == entry.name:
        raise CatalogueError(f"It is called {name} already.")
    target = find(entry.project, kind, name)
    if target is not None and target.pk not in _group(entry):
        if target.alias_of_id is not None:
            raise CatalogueError(
                f"{name} is another name of {_today(target)} already. Merge it into that one, or choose another name."
            )
        return merged(entry, target, now=now)
    carried = _values(entry, CARRIED[kind]) | _confirmed(entry, now) | {"alias_of_id": None}
    if target is None:
        fresh = {**dict.fromkeys(carried), **dict.fromkeys(DETAILS, ""), "archived_at": _iso(now)}
        first, made = Edit(kind, NEW, fresh, carried), (kind, name)
    else:
        first, made = Edit(kind, target.pk, _values(target, carried), carried), None
    return Plan(
        action=f"{kind}.renamed",
        target=entry.name,
        says=f"{entry.name} is renamed to {name}.",
        edits=(first, *_led(entry, to=first.id, more=_confirmed(entry, now))),
        made=made,
        moves=(entry.name,),
    )


def merged(entry: Entry, into: Entry, *, now: datetime) -> Plan:
    """The plan after which a flow's calls (or a feature's flows) count as another's. Raises CatalogueError."""
    kind = kind_of(entry)
    _is_itself(entry)
    _is_itself(into)
    if entry.pk == into.pk or kind_of(into) != kind:
        raise CatalogueError(f"{entry.name} cannot be merged into itself. Choose another {kind}.")
    edits = list(_led(entry, to=into.pk, more=_confirmed(entry, now)))
    woken = _confirmed(into, now) | ({"archived_at": None} if into.archived_at else {})
    if woken:
        edits.append(Edit(kind, into.pk, _values(into, woken), woken))
    return Plan(
        action=f"{kind}.merged",
        target=entry.name,
        says=f"{entry.name} is merged into {into.name}.",
        edits=tuple(edits),
        moves=(entry.name,),
    )


def moved(flows: Iterable[Flow], feature: str, *, now: datetime) -> Plan:
    """The plan that gives flows to another feature, which is made where there is none; "" = to none."""
    chosen = list(flows)
    if not chosen:
        raise CatalogueError("No flow is chosen. Tick at least one.")
    name = valid_name(feature) if _line(feature) else ""
    target = find(chosen[0].project, "feature", name) if name else None
    number = None if not name else target.alias_of_id or target.pk if target else NEW
    chosen = [
        flow for flow in chosen if number == NEW or flow.feature_id != number or flow.confirmed_at is None
    ]
    if not chosen:
        raise CatalogueError("Nothing was different.")
    edits = []
    for flow in chosen:
        _is_itself(flow)
        after = {"feature_id": number} | _confirmed(flow, now)
        edits.append(Edit("flow", flow.pk, _values(flow, after), after))
    made = ("feature", name) if number == NEW else None
    if made:
        edits.insert(0, Edit("feature", NEW, {"archived_at": _iso(now)}, {"archived_at": None}))
    who = _several(chosen)
    return Plan(
        action="flow.moved",
        target=who,
        says=f"{who} {'moves' if len(chosen) == 1 else 'move'} to {name or 'no feature'}.",
        edits=tuple(edits),
        made=made,
        moves=tuple(flow.name for flow in chosen),
    )


def described(entry: Entry, details: Mapping[str, str], *, now: datetime) -> Plan:
    """The plan that sets owner, cost centre and description (keys of DETAILS). Raises CatalogueError."""
    _is_itself(entry)
    after: dict[str, Any] = {}
    for name, value in details.items():
        text = _line(value)
        if len(text) > DETAILS[name]:
            raise CatalogueError(f"The {_words(name)} is too long. Write at most {DETAILS[name]} characters.")
        if name != "description" and text in LABELS:
            raise CatalogueError(f"{text} has a meaning of its own here. Leave the {_words(name)} empty.")
        if text != getattr(entry, name):
            after[name] = text
    if not after:
        raise CatalogueError("Nothing was different.")
    said = ", ".join(f"{_words(name)} {value or 'none'}" for name, value in after.items())
    moves = (entry.name,) if after.keys() - {"description"} else ()
    after |= _confirmed(entry, now)
    return Plan(
        action=f"{kind_of(entry)}.described",
        target=entry.name,
        says=f"{entry.name}: {said}."[:1000],
        edits=(Edit(kind_of(entry), entry.pk, _values(entry, after), after),),
        moves=moves,
    )


def archived(entry: Entry, *, now: datetime, back: bool = False) -> Plan:
    """The plan that takes a flow or feature out of the lists, or puts it back; its figures stay."""
    _is_itself(entry)
    if bool(entry.archived_at) != back:
        raise CatalogueError(f"{entry.name} is {'not archived' if back else 'archived already'}.")
    after = {"archived_at": None if back else _iso(now)} | _confirmed(entry, now)
    word = "put back" if back else "archived"
    return Plan(
        action=f"{kind_of(entry)}.{word.replace(' ', '_')}",
        target=entry.name,
        says=f"{entry.name} is {word}.",
        edits=(Edit(kind_of(entry), entry.pk, _values(entry, after), after),),
    )


def confirmed(flows: Iterable[Flow], *, now: datetime) -> Plan:
    """The plan that takes names out of the queue of new ones, as flows of their own."""
    chosen = [flow for flow in flows if flow.confirmed_at is None]
    if not chosen:
        raise CatalogueError("No new name is chosen. Tick at least one.")
    after = {"confirmed_at": _iso(now)}
    who = _several(chosen)
    return Plan(
        action="flow.confirmed",
        target=who,
        says=f"{who} {'is' if len(chosen) == 1 else 'are'} confirmed.",
        edits=tuple(Edit("flow", flow.pk, {"confirmed_at": None}, after) for flow in chosen),
    )


@transaction.atomic
def apply(plan: Plan, *, project: Project, by: audit.By, now: datetime) -> CatalogueChange:
    """Make a planned change, with a line in the audit log.

    Raises CatalogueError when a row is no longer as the plan saw it."""
    alone(project)
    edits = _edited(project, plan)
    change = CatalogueChange.objects.create(
        project=project,
        at=now,
        actor=audit.actor_name(by)[:200],
        action=plan.action,
        says=plan.says,
        edits=[asdict(edit) for edit in edits],
    )
    _recorded(project, plan, by)
    return change


@transaction.atomic
def undo(number: int, *, project: Project, by: audit.By, now: datetime) -> Plan:
    """Take a change back: every row becomes as it was. Raises CatalogueError when one was changed since."""
    alone(project)
    change = CatalogueChange.objects.filter(project=project, pk=number).first()
    if change is None:
        raise CatalogueError("There is no such change.")
    if change.undone_at:
        raise CatalogueError(f"It was undone already, by {change.undone_by}.")
    edits = [Edit(one["kind"], one["id"], one["after"], one["before"]) for one in reversed(change.edits)]
    plan = Plan(action="catalogue.undone", target=change.says[:200], says=f"Undone: {change.says}",
                edits=tuple(edits))  # fmt: skip
    _edited(project, plan)
    change.undone_at, change.undone_by = now, audit.actor_name(by)[:200]
    change.save(update_fields=["undone_at", "undone_by"])
    _recorded(project, plan, by)
    return plan


def alone(project: Project) -> None:
    """One change of a project's catalogue at a time; the loader may go on adding names."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def _edited(project: Project, plan: Plan) -> list[Edit]:
    """The edits as they were made, the new row's number in place of NEW."""
    made = _made(project, plan)
    edits = [_numbered(edit, plan.made, made) for edit in plan.edits]
    for kind, model in MODELS.items():
        numbers = [edit.id for edit in edits if edit.kind == kind]
        locked = model.objects.select_for_update().filter(project=project, pk__in=numbers)
        rows: dict[int, Entry] = {row.pk: row for row in locked}
        for edit in (edit for edit in edits if edit.kind == kind):
            _change(rows.get(edit.id), edit)
    return edits


def _made(project: Project, plan: Plan) -> int:
    if plan.made is None:
        return NEW
    kind, name = plan.made
    first = plan.edits[0]
    if find(project, kind, name) is not None:
        raise CatalogueError(f"There is a {kind} {name} meanwhile. Look at it again.")
    return int(MODELS[kind].objects.create(project=project, name=name, **first.before).pk)


def _numbered(edit: Edit, made: tuple[str, str] | None, number: int) -> Edit:
    """NEW stands for the made row: as the row itself, as what another name leads to, as a feature."""
    if made is None:
        return edit
    after = {
        name: number if value == NEW and name in ("alias_of_id", "feature_id") else value
        for name, value in edit.after.items()
    }
    return Edit(edit.kind, edit.id or number, edit.before, after)


def _change(row: Entry | None, edit: Edit) -> None:
    if row is None:
        raise CatalogueError("A name that this is about is gone. Look at it again.")
    if _values(row, edit.before) != edit.before:
        raise CatalogueError(
            f"{row.name} was changed meanwhile. Undo the later change first, or look at it again."
        )
    for name, value in edit.after.items():
        is_time = name.endswith("_at") and value is not None
        setattr(row, name, datetime.fromisoformat(value) if is_time else value)
    row.save(update_fields=[name.removesuffix("_id") for name in edit.after])


def _recorded(project: Project, plan: Plan, by: audit.By) -> None:
    """The line in the audit log; and loaders read the names again."""
    audit.record(
        project=project, actor=audit.actor_name(by), action=plan.action, target=plan.target, says=plan.says
    )
    Project.objects.filter(pk=project.pk).update(catalogue_version=F("catalogue_version") + 1)


def _group(entry: Entry) -> set[int]:
    """A row and the rows that lead to it."""
    others = type(entry)._default_manager.filter(alias_of=entry.pk)
    return {entry.pk, *others.values_list("pk", flat=True)}


def _led(entry: Entry, *, to: int, more: Mapping[str, Any] | None = None) -> Iterable[Edit]:
    """Edits after which a row, and whatever led to it, lead to another one."""
    kind = kind_of(entry)
    after = {"alias_of_id": to, **(more or {})}
    yield Edit(kind, entry.pk, _values(entry, after), after)
    for other in type(entry)._default_manager.filter(alias_of=entry.pk).order_by("pk"):
        if other.pk != to:
            yield Edit(kind, other.pk, {"alias_of_id": entry.pk}, {"alias_of_id": to})


def _values(entry: Entry, names: Iterable[str]) -> dict[str, Any]:
    found = {name: getattr(entry, name) for name in names}
    return {name: _iso(value) if isinstance(value, datetime) else value for name, value in found.items()}


def _confirmed(entry: Entry, now: datetime) -> dict[str, Any]:
    """Whoever does something with a new name has seen it."""
    new = isinstance(entry, Flow) and entry.confirmed_at is None
    return {"confirmed_at": _iso(now)} if new else {}


def _is_itself(entry: Entry) -> None:
    if entry.alias_of_id is not None:
        raise CatalogueError(f"{entry.name} is another name of {_today(entry)}. Change that one.")


def _today(entry: Entry) -> str:
    return entry.alias_of.name if entry.alias_of else entry.name


def _several(flows: list[Flow]) -> str:
    return flows[0].name if len(flows) == 1 else f"{len(flows):,} flows"


def _line(value: str) -> str:
    """One line of text that Postgres can hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _words(name: str) -> str:
    return name.replace("_", " ")

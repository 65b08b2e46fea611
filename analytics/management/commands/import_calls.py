"""`manage.py import_calls PROJECT FILE`: bulk history of any age; `docs/import.md` tells how."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from accounts.errors import ApiError
from analytics.imports import FORMATS, SHOWN, Order, Progress, Report, Seen, format_of, run
from analytics.management.arguments import project_named
from analytics.preview import Preview, preview
from ingest.wire.columns import BadMappingError
from ingest.wire.files import UnreadableError
from ingest.wire.rows import Wanted

LINES = 20  # of the table of flows and models


class Command(BaseCommand):
    """Imports a file of calls."""

    help = (
        "Import calls of any age from JSONL or CSV, plain or gzip; a second import of the same adds nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """PROJECT FILE [--format F] [--map FIELD=COLUMN]… [--set FIELD=VALUE]… [--zone Z] [--dry-run]."""
        parser.add_argument("project")
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", choices=list(FORMATS), help="default: by the file's name")
        parser.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", dest="maps")
        parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", dest="sets")
        parser.add_argument("--zone", help="of times without an offset, for instance Europe/Berlin")
        parser.add_argument("--dry-run", action="store_true", help="show what would come; write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, or show what would come."""
        order = _order(options)
        try:
            with _bar(order.path) as progress:
                if options["dry_run"]:
                    told = list(_of_preview(preview(order, now=timezone.now(), progress=progress)))
                else:
                    told = list(_of_report(run(order, now=timezone.now, progress=progress)))
        except (BadMappingError, UnreadableError) as problem:
            raise CommandError(str(problem)) from problem
        except ApiError as problem:
            raise CommandError(
                f"{problem.message} Run the same command again to complete the import."
            ) from problem
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. Run the same command again to complete the import.", returncode=130
            ) from None
        for line in told:
            self.stdout.write(line)


def _order(options: dict[str, Any]) -> Order:
    path: Path = options["file"]
    name = options["format"] or format_of(path)
    if name is None:
        raise CommandError(
            f"The name {path.name} does not tell the format: give --format {'|'.join(FORMATS)}."
        )
    wanted = Wanted(
        _pairs("--map", options["maps"]), _pairs("--set", options["sets"]), _zone(options["zone"])
    )
    if not FORMATS[name].mapped and (wanted.maps or wanted.sets):
        raise CommandError(f"--map and --set do not apply to {name}: its fields have fixed names.")
    if not FORMATS[name].zoned and wanted.zone:
        raise CommandError(f"--zone applies to csv only: times in {name} carry their offset.")
    return Order(project=project_named(options["project"]), path=path, format=name, wanted=wanted)


def _pairs(option: str, given: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        field, sign, value = text.partition("=")
        if not sign or not field.strip():
            raise CommandError(f"{option} {text!r} cannot be read: write it as FIELD=VALUE.")
        if field.strip() in pairs:
            raise CommandError(f"{option} {field.strip()} is given twice.")
        pairs[field.strip()] = value.strip()
    return pairs


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError) as problem:
        raise CommandError(f"{name!r} is no time zone: write it as Europe/Berlin.") from problem


@contextmanager
def _bar(path: Path) -> Iterator[Progress]:
    """A progress bar over the bytes of the file, on a terminal only."""
    size = path.stat().st_size if path.is_file() else 0
    with tqdm(
        total=size,
        unit="B",
        unit_scale=True,
        desc=path.name,
        disable=not sys.stderr.isatty(),
        file=sys.stderr,
    ) as bar:
        yield lambda position: bar.update(position - bar.n)


def _of_seen(seen: Seen) -> Iterator[str]:
    if seen.left_out:
        yield f"columns left out: {', '.join(seen.left_out)}"
    for field, message in seen.warnings:
        yield f"note: {field}: {message}" if field else f"note: {message}"
    for one in seen.rejections:
        words = [f"line {one.index}:", f"{one.field}:" if one.field else "", one.message, one.hint or ""]
        yield " ".join(filter(None, words))
    if seen.rejected > SHOWN:
        yield f"and {seen.rejected - SHOWN:,} more lines rejected"


def _of_report(report: Report) -> Iterator[str]:
    yield from _of_seen(report.seen)
    if report.set_aside:
        yield f"{report.set_aside:,} could not be loaded and were set aside; the trust panel shows why"
    if report.resumed:
        yield "an import of this file that was cut off is completed; accepted counts all of it"
    yield (
        f"{report.accepted:,} accepted, {report.duplicates:,} duplicate, {report.seen.rejected:,} rejected"
    )
    yield f"import {report.batch.pk}; undo_import {report.batch.project.slug} {report.batch.pk} takes it back"


def _of_preview(found: Preview) -> Iterator[str]:
    yield from _of_seen(found.seen)
    first, last = found.seen.first_us, found.seen.last_us
    if first is not None and last is not None:
        yield f"period: {_time(first)} to {_time(last)}"
    yield from _table(found)
    statuses = ", ".join(f"{count:,} {status}" for status, count in sorted(found.statuses.items()))
    yield f"cost: {statuses or 'none'}; reported USD {found.reported:f}"
    yield (
        f"{found.new:,} would be accepted, {found.duplicates:,} duplicate, {found.seen.rejected:,} rejected;"
        " nothing was written"
    )


def _table(found: Preview) -> Iterable[str]:
    lines = sorted(found.lines.items(), key=lambda item: (-item[1].calls, item[0]))
    if lines:
        yield "flow  model  calls  failed  input tokens  output tokens  cost USD"
    for (flow, model), line in lines[:LINES]:
        yield f"{flow}  {model}  {line.calls}  {line.failed}  {line.input}  {line.output}  {line.cost:f}"
    if len(lines) > LINES:
        yield f"and {len(lines) - LINES:,} more pairs of flow and model"


def _time(us: int) -> str:
    return datetime.fromtimestamp(us // 1_000_000, UTC).isoformat().replace("+00:00", "Z")

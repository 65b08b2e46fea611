"""What could not be loaded: shown, downloadable, and tried again. It holds nobody up."""

from typing import Any

import msgspec
from django.db import transaction

from accounts.audit import record
from accounts.models import Project
from ingest.inbox import read_records
from ingest.models import InboxRow, SetAside

_SAME = ("lane", "project_id", "key_id", "received_at", "kind", "items", "import_batch", "body")


def try_again(project: Project, ids: list[int] | None = None, *, actor: str) -> int:
    """Put what was set aside (all of it, or these rows) back into the inbox; returns how many records."""
    with transaction.atomic():
        rows = SetAside.objects.select_for_update().filter(project_id=project.pk)
        chosen = list(rows if ids is None else rows.filter(pk__in=ids))
        for row in chosen:
            InboxRow.objects.create(**{name: getattr(row, name) for name in _SAME})
        SetAside.objects.filter(pk__in=[row.pk for row in chosen]).delete()
        count = sum(row.items for row in chosen)
        if chosen:
            record(project=project, actor=actor, action="set_aside.tried_again", records=count)
    return count


def download(row: SetAside) -> bytes:
    """The records of a row as JSON; a body that cannot be read as it is, in base64."""
    try:
        records: list[Any] = read_records(row.kind, row.body)
    except msgspec.DecodeError:
        return msgspec.json.encode({"reason": row.reason, "body": bytes(row.body)})
    named = [dict(zip(type(r).__struct_fields__, msgspec.structs.astuple(r), strict=True)) for r in records]
    return msgspec.json.encode({"reason": row.reason, "records": named}, enc_hook=msgspec.to_builtins)

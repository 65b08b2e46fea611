"""The audit log: every change of access, prices or history leaves a line."""

from typing import Any

from accounts.models import AuditLine, Project


def record(*, project: Project | None, actor: str, action: str, target: str = "", **details: Any) -> AuditLine:
    """Write one line, in the transaction of the change it tells of."""
    return AuditLine.objects.create(
        project=project, actor=actor[:200], action=action, target=target[:200], details=details
    )

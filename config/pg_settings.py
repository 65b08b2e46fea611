"""What the embedded Postgres is told: who may enter, and how much memory and log it may use.

The settings lie in `flowledger.conf` inside the server's folder, written at every start; what an operator
sets by ALTER SYSTEM wins over them.
"""

import os
import shutil
from pathlib import Path

HBA = "# Written at every start.\nlocal all all peer map=flowledger\n"
IDENT = "# Written at every start.\nflowledger {user} {role}\n"
MEGABYTE = 2**20
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - looked at, not written to
SMALL_SHARED_MEMORY_MB = 256  # a container's default is 64, too little for parallel queries

FIXED = {
    "max_connections": "200",
    "max_locks_per_transaction": "256",
    "shared_preload_libraries": "'pg_stat_statements'",
    "jit": "off",
    "work_mem": "'16MB'",
    "maintenance_work_mem": "'128MB'",
    "max_wal_size": "'2GB'",
    "wal_compression": "on",
    "checkpoint_timeout": "'15min'",
    "checkpoint_completion_target": "0.9",
    "log_checkpoints": "off",
    "log_timezone": "'UTC'",
    "timezone": "'UTC'",
    "log_line_prefix": "'%m [%p] '",
    "random_page_cost": "1.1",
}
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "'128MB'",
}


def settings_file(*, fsync: bool) -> str:
    """The text of flowledger.conf for this machine; `fsync` False gives up durability for the tests."""
    settings = FIXED | _for_memory(_memory_mb())
    if not fsync:
        settings |= NOT_DURABLE
    if _shared_memory_is_small():
        settings["dynamic_shared_memory_type"] = "mmap"
    return "".join(f"{name} = {value}\n" for name, value in settings.items())


def _for_memory(megabytes: int) -> dict[str, str]:
    """An eighth of the memory is the server's own, 128 MB to 512 MB; half is the expected file cache."""
    buffers = min(512, max(128, megabytes // 8))
    return {"shared_buffers": f"'{buffers}MB'", "effective_cache_size": f"'{max(256, megabytes // 2)}MB'"}


def _memory_mb() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEGABYTE


def _shared_memory_is_small() -> bool:
    if not SHARED_MEMORY.is_dir():
        return False
    return shutil.disk_usage(SHARED_MEMORY).total // MEGABYTE < SMALL_SHARED_MEMORY_MB

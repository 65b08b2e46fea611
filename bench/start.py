"""`python -m bench.start PROJECTS [--no-static]`: config.run, whose first step makes projects
and keys instead of a sign-in.
"""

import dataclasses
import sys

from config import programs, run
from config.programs import Options, Plan
from config.supervise import Program


def plan(options: Options) -> Plan:
    """The real programs but for the first step; packing the static files takes a minute and can be left out."""
    first = Program("first", (sys.executable, "-m", "bench.first", sys.argv[1]), kept=True)
    real = dataclasses.replace(programs.plan(options), first=first)
    if "--no-static" not in sys.argv:
        return real
    return dataclasses.replace(real, static=Program("static", (sys.executable, "-c", "")))


if __name__ == "__main__":
    sys.exit(run.main([], plan))

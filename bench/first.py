"""`python -m bench.first PROJECTS`: projects bench-1, bench-2, … each with a key, told in DATA/bench-keys."""

import os
import sys

import django


def main(projects: int) -> None:
    """Makes what is missing; a second start finds everything."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.conf import settings  # noqa: PLC0415 - after django.setup()

    from accounts.keys import create_key  # noqa: PLC0415
    from accounts.models import Project  # noqa: PLC0415
    from analytics import pricebook  # noqa: PLC0415

    pricebook.sync()
    told = settings.DATA / "bench-keys"
    if told.exists():
        return
    secrets = []
    for number in range(1, projects + 1):
        project = Project.objects.get_or_create(slug=f"bench-{number}", defaults={"name": f"Bench {number}"})[
            0
        ]
        secrets.append(f"{project.pk} {create_key(project=project, scopes=['ingest', 'read'])[1]}")
    fresh = told.with_suffix(".new")
    fresh.write_text("\n".join(secrets))
    fresh.replace(told)


if __name__ == "__main__":
    main(int(sys.argv[1]))

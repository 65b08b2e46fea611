"""`python -m bench.visitor`: an owner of bench-1, signed in; prints the session's id. Settings are the product's."""

import os

import django


def main() -> str:
    """A session, as signing in makes it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: PLC0415
    from django.contrib.sessions.backends.db import SessionStore  # noqa: PLC0415

    from accounts.models import Member, Project, User  # noqa: PLC0415 - after django.setup()

    user, _ = User.objects.get_or_create(email="bench@example.com", defaults={"is_active": True})
    project = Project.objects.get(slug="bench-1")
    Member.objects.get_or_create(project=project, user=user, defaults={"role": "owner"})
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


if __name__ == "__main__":
    print(main())

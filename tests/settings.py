"""The settings under test: the product's, on the tests' own database and in a data folder of their own."""

import os

from tests import cluster

os.environ["DATABASE_URL"] = cluster.ensure()
os.environ["FLOWLEDGER_DATA"] = str(cluster.temporary_folder())
os.environ.setdefault("SECRET_KEY", "for tests only")

from config.settings import *  # noqa: F403

# Static files come straight from their folders: the hashed names of production need collectstatic first.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Tests hash hundreds of passwords; argon2 is the product's, and has a test of its own.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 - whitenoise warns when it is not there

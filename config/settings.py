"""Every setting of the installation. Values come from the environment (and `.env`); a bad one stops the start."""

import base64
import hashlib
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import dj_database_url
import structlog
from environs import Env, EnvError

from config.mail import mail_settings
from config.postgres import running_url

ROOT = Path(__file__).resolve().parent.parent
env = Env()
env.read_env(str(ROOT / ".env"), recurse=False)


def _read(reader: Any, name: str, default: Any, hint: str) -> Any:
    try:
        return reader(name, default)
    except (EnvError, ValueError):
        sys.exit(f"flowledger: {name}={env.str(name, '')!r} cannot be used: {hint}.")


DATA = Path(_read(env.str, "FLOWLEDGER_DATA", str(ROOT / "var"), "name a folder")).resolve()
PORT = _read(env.int, "PORT", 8000, "give a port number, for instance 8000")
DEBUG = _read(env.bool, "DEBUG", False, "give 0 or 1")
DEMO = _read(env.bool, "FLOWLEDGER_DEMO", True, "give 0 or 1")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]", "testserver"])
ADMIN_EMAIL = env.str("FLOWLEDGER_ADMIN_EMAIL", "admin@localhost.localdomain")
ADMIN_PASSWORD = env.str("FLOWLEDGER_ADMIN_PASSWORD", "")


def _secret_key() -> str:
    """The given key, else one made once and kept in the data folder, readable by its owner only."""
    given = env.str("SECRET_KEY", "")
    kept = DATA / "secret_key"
    if given:
        return given
    if not kept.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        fresh = DATA / "secret_key.new"
        fresh.touch(mode=0o600)
        fresh.write_text(base64.b64encode(hashlib.sha512(_entropy()).digest()).decode())
        fresh.replace(kept)
    return kept.read_text()


def _entropy() -> bytes:
    return Path("/dev/urandom").open("rb").read(64)


SECRET_KEY = _secret_key()

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "allauth",
    "allauth.account",
    "axes",
    "csp",
    "accounts",
    "ingest",
    "analytics",
    "guardrails",
    "finance",
    "dashboard",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]

# Requests with a key (config/wsgi.py): no session, no sign-in, no messages. The headers of an answer are the same.
API_PATHS = ("/v1/", "/api/public/", "/opik/")
API_PAGES = ("/v1/docs", "/v1/schema")
API_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# `make run` and the tests put it into the environment; a command started beside `make run` finds its server.
DATABASE_URL = env.str("DATABASE_URL", "") or running_url(DATA) or ""


def _database() -> dict[str, Any]:
    if not DATABASE_URL:
        return {"ENGINE": "django.db.backends.postgresql", "NAME": "flowledger"}
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(DATABASE_URL))
    except (dj_database_url.ParseError, dj_database_url.UnknownSchemeError, ValueError):
        sys.exit(
            "flowledger: DATABASE_URL cannot be read: write it as postgres://user:password@host:5432/name."
        )
    if "postgresql" not in str(found.get("ENGINE")):
        sys.exit("flowledger: DATABASE_URL names no Postgres: only Postgres 15 or newer is supported.")
    return found


DATABASES = {"default": {**_database(), "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}}
DATABASES["default"].setdefault("OPTIONS", {})
# The hot paths send binary parameters and prepared statements; a page waits at most 10 s for its figures.
DATABASES["default"]["OPTIONS"] |= {"application_name": "flowledger", "connect_timeout": 5}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Broker: kombu's pgmq transport on the same Postgres unless told otherwise (docs/decisions/0003).
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "") or "pgmq://"
if CELERY_BROKER_URL.split("://")[0] not in ("pgmq", "redis", "rediss", "amqp", "amqps"):
    sys.exit(
        "flowledger: CELERY_BROKER_URL cannot be used: write pgmq://, redis://host:6379/0 or amqp://host."
    )

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "accounts.adapter.Adapter"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
}
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = {"login_failed": "30/m/ip"}  # many addresses from one place; one address: axes
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "login"
AXES_USERNAME_CALLABLE = "accounts.signin.name_tried"
AXES_LOCKOUT_CALLABLE = "accounts.signin.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# No inline script or style anywhere; the hash is that of the empty <style> which Plotly makes.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'", "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"],
        "img-src": ["'self'", "data:", "blob:"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.keys.KeyAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.errors.as_response",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Flowledger",
    "OAS_VERSION": "3.1.0",
    "VERSION": "1",
    "DESCRIPTION": "Cost, latency and quality of every AI call, tied to the user flow that it served.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "dashboard.finders.BundleFinder",  # Plotly's bundle, from its pip package
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static.Storage"},
}
WHITENOISE_MAX_AGE = 60

EMAIL_URL = env.str("EMAIL_URL", "")
if EMAIL_URL:
    globals().update(
        _read(mail_settings, "EMAIL_URL", EMAIL_URL, "write it as smtp://user:password@host:587")
    )

# Messages of alerts and digests: the address that their links begin with; networks that webhooks may reach although
# they are not public.
PUBLIC_URL = env.str("FLOWLEDGER_URL", "").rstrip("/") or f"http://127.0.0.1:{PORT}"
WEBHOOK_ALLOW = _read(
    lambda name, default: [str(ip_network(text)) for text in env.list(name, default)],
    "FLOWLEDGER_WEBHOOK_ALLOW",
    [],
    "list networks, for instance 10.0.0.0/8,127.0.0.0/8",
)

# Ingestion. Bodies are read by ingest/body.py, which has limits of its own; this one is for forms.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
INGEST_MAX_BODY = 64 * 2**20
INGEST_MAX_ITEMS = 50_000
INGEST_INBOX_BOUND = _read(env.int, "FLOWLEDGER_INBOX_BOUND", 2_000_000, "give a number of records")
INGEST_MIN_DISK = 2**30

# The ledger. None = for ever (design section 4, Retention).
LEDGER_RETENTION_DAYS = _read(env.int, "FLOWLEDGER_LEDGER_DAYS", 0, "give days, 0 = for ever")
SPAN_RETENTION_DAYS = _read(env.int, "FLOWLEDGER_SPAN_DAYS", 30, "give days")
CONTENT_RETENTION_DAYS = _read(env.int, "FLOWLEDGER_CONTENT_DAYS", 30, "give days")
QUARTER_HOUR_DAYS = _read(env.int, "FLOWLEDGER_QUARTER_HOUR_DAYS", 35, "give days")

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.LogfmtRenderer(key_order=["event"]),
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "axes": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "granian.access": {"level": "WARNING"},
        "pgmq": {"level": "WARNING"},
    },
}
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
)

"""What the web server loads: a handler for pages, and one for programs, whose requests need no session."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_wsgi_application()

from django.conf import settings  # noqa: E402 - after the settings are chosen
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402

from config import celery  # noqa: E402, F401 - the broker that /readyz asks; needs the settings loaded

Answer = Callable[..., Any]


class ApiHandler(WSGIHandler):
    """Django's handler with the short list of middleware: the long one took 0.3 ms of each request."""

    def load_middleware(self, is_async: bool = False) -> None:
        """As Django's, of settings.API_MIDDLEWARE; called once, before any request."""
        long, settings.MIDDLEWARE = settings.MIDDLEWARE, settings.API_MIDDLEWARE
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = long


programs = ApiHandler()


def is_for_programs(path: str) -> bool:
    """Whether an address is one of the API's: keys are all that opens it. Its documentation is a page."""
    return path.startswith(settings.API_PATHS) and path not in settings.API_PAGES


def application(environ: dict[str, Any], start_response: Answer) -> Iterable[bytes]:
    """The WSGI application."""
    handler = programs if is_for_programs(environ.get("PATH_INFO", "")) else pages
    return handler(environ, start_response)

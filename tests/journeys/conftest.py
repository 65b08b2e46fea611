"""A real Chromium against the running product; without one these tests are skipped and say so."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from playwright.sync_api import BrowserContext, Page

from accounts.models import Project
from tests.dashboard import desk

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright's loop runs in the thread of the tests
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every journey for skipping where there is no browser."""
    if CHROMIUM is None:
        reason = "no Chromium here: apt-get install chromium"
        for item in items:
            if "journeys" in str(item.path):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": list(FLAGS)}


@pytest.fixture
def product(transactional_db, live_server) -> Project:
    """Kestrel Desk on a live server, with its calls."""
    cache.clear()
    project = desk.desk(desk.members())
    desk.fill(project)
    return project


@pytest.fixture
def site(product, live_server) -> str:
    return f"{live_server.url}/p/{product.slug}"


@pytest.fixture
def told(page: Page) -> Iterator[list[str]]:
    """What the console said; a journey ends with nothing in it."""
    found: list[str] = []
    page.on("console", lambda m: found.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda problem: found.append(str(problem)))
    yield found
    assert found == []


@pytest.fixture
def signed(page: Page, told, product, live_server) -> Page:
    """The page of someone who has signed in by the form."""
    page.goto(f"{live_server.url}/")
    page.fill("input[name=login]", "owner@example.com")
    page.fill("input[name=password]", desk.PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("h1:has-text('Overview')")
    return page


@pytest.fixture
def phone(signed: Page) -> BrowserContext:
    """A phone's window for the same person."""
    signed.set_viewport_size({"width": 390, "height": 844})
    return signed.context

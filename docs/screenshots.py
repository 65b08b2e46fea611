"""Takes the pictures that README.md and the guides show, of the demo project, into docs/pictures/.

    .venv/bin/python docs/screenshots.py                                   # starts a product of its own, ends it
    .venv/bin/python docs/screenshots.py http://127.0.0.1:8000 NAME PASSWORD   # a running one

Needs requirements-dev.txt and Chromium, which also makes them WebP. One of 150 kB or more ends the script.
"""

import base64
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
PROJECT = "demo"
LIMIT = 150_000
PORT = "8179"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"]


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture: its file, the address below the project, and how high it is at most (pixels)."""

    name: str
    path: str
    height: int = 900
    click: str = ""  # a link to follow first


SHOTS = (
    Shot("overview", ""),
    Shot("flow", "flows/support-triage?period=28d", 1100),
    Shot("change", "changes?kind=prompt", 1000, click=".name-cell a, tbody a"),
    Shot("quality", "quality?period=28d", 900),
    Shot("budgets", "budgets", 900),
    Shot("alert", "alerts", 900, click='tbody a:not(:has-text("reach"))'),
    Shot("month", "finance/", 1000),
)


@dataclass(frozen=True, slots=True)
class Site:
    """A running product, and who signs in."""

    url: str
    name: str
    password: str


@contextmanager
def own_product() -> Iterator[Site]:
    """A product with a fresh database, stopped and removed at the end. Raises RuntimeError if it does not start."""
    with tempfile.TemporaryDirectory(prefix="flowledger-pictures-") as folder:
        environment = {**os.environ, "FLOWLEDGER_DATA": folder, "PORT": PORT}
        command = ["make", "run"]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True, cwd=PICTURES.parents[1],
        ) as product:  # fmt: skip
            try:
                yield _site_told(product)
            finally:
                os.killpg(product.pid, signal.SIGINT)
                product.wait(60)


def _site_told(product: "subprocess.Popen[str]") -> Site:
    """What the first start prints: the sign-in; returned once it is ready."""
    name = password = ""
    for line in product.stdout or ():
        if found := re.search(r"Sign in as (\S+) with (\S+)", line):
            name, password = found[1], found[2]
        if "ready on http" in line:
            return Site(f"http://127.0.0.1:{PORT}", name, password)
    raise RuntimeError("make run ended before it was ready")


def sign_in(page: Page, site: Site) -> None:
    """By the form, as people do."""
    page.goto(f"{site.url}/")
    page.fill("input[name=login]", site.name)
    page.fill("input[name=password]", site.password)
    page.click("button[type=submit]")
    page.wait_for_selector("h1:has-text('Overview')")


def take(page: Page, site: Site, shot: Shot) -> None:
    """Write one picture. Raises RuntimeError where the page is not there or the picture is too big."""
    page.set_viewport_size({"width": 1280, "height": shot.height})
    answer = page.goto(f"{site.url}/p/{PROJECT}/{shot.path}")
    if answer is None or not answer.ok:
        raise RuntimeError(f"{shot.path}: {answer.status if answer else 'no answer'}")
    if shot.click:
        page.locator("main").locator(shot.click).first.click()
    page.wait_for_selector("body[data-ready]")
    for chart in page.locator(".chart[data-figure]").all()[:4]:
        chart.scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_load_state("networkidle")
    picture = as_webp(page.context.browser, page.screenshot())
    if len(picture) >= LIMIT:
        raise RuntimeError(f"{shot.name} has {len(picture)} bytes, {LIMIT} are too many")
    (PICTURES / f"{shot.name}.webp").write_bytes(picture)
    print(shot.name, len(picture))


TO_WEBP = """async (png) => {
  const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  const blob = await canvas.convertToBlob({type: "image/webp", quality: 0.86});
  return btoa(Array.from(new Uint8Array(await blob.arrayBuffer()), (b) => String.fromCharCode(b)).join(""));
}"""


def as_webp(browser: Browser | None, png: bytes) -> bytes:
    """A PNG as WebP, made by the browser on an empty page: no other program is needed."""
    if browser is None:
        raise RuntimeError("the browser has gone")
    blank = browser.new_page()
    try:
        return base64.b64decode(blank.evaluate(TO_WEBP, base64.b64encode(png).decode()))
    finally:
        blank.close()


def main(words: list[str]) -> None:
    """All pictures; of a product of its own where no address is given."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(device_scale_factor=1)
        page.set_default_timeout(90_000)
        if words:
            _all(page, Site(*words))
        else:
            with own_product() as site:
                _all(page, site)
        browser.close()


def _all(page: Page, site: Site) -> None:
    sign_in(page, site)
    for shot in SHOTS:
        take(page, site, shot)


if __name__ == "__main__":
    main(sys.argv[1:])

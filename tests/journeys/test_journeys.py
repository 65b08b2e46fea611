"""What people do, in a real browser: sign in, see what burns the money, follow it to one run, send an event."""

import json
import re
import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from accounts.keys import create_key
from accounts.models import User
from accounts.projects import create_project
from tests.dashboard import desk

PAGES = (
    "/", "/explore?group_by=model", "/explore?view=table", "/runs", "/calls", "/trust/unpriced", "/trust/rejected",
    "/start", "/settings/", "/settings/members", "/settings/keys", "/settings/prices", "/settings/imports",
    "/settings/set-aside", "/settings/audit", "/explore?customer=nobody", "/quality?period=28d", "/compare?period=28d",
    "/flows/support-triage?period=28d", "/flows/support-triage?period=28d&view=table",
)  # fmt: skip
SHIFT = """() => new Promise((done) => { let sum = 0;
  new PerformanceObserver((list) => { for (const e of list.getEntries()) sum += e.value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 300); })"""


def test_from_signing_in_to_one_run(signed: Page, site):
    expect(signed.locator("#answer")).to_contain_text("spent this month so far")
    signed.click("#panel-features tbody tr:first-child .name-cell a")
    expect(signed.locator("h1")).to_have_text("Explore")
    signed.wait_for_selector(".chart[data-drawn]")
    for _ in ("flow", "model", "prompt version"):
        signed.click("#panel-table tbody tr:first-child .name-cell a")
        signed.wait_for_load_state()
    expect(signed.locator("h1")).to_have_text("Runs")
    signed.click("tbody tr:first-child .name-cell a")
    expect(signed.locator("h1")).to_contain_text("Run ")
    expect(signed.locator(".timeline tfoot")).to_contain_text("Total")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(signed: Page, site, theme):
    User.objects.update(theme=theme)
    run = _a_run(signed, site)
    for path in (*PAGES, run):
        signed.goto(path if path.startswith("http") else site + path)
        found = Axe().run(signed).response["violations"]
        serious = [
            (v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")
        ]
        assert serious == [], path


def _a_run(page: Page, site: str) -> str:
    page.goto(f"{site}/runs")
    link = page.locator("tbody .name-cell a").first.get_attribute("href")
    return site.split("/p/", maxsplit=1)[0] + str(link)


@pytest.mark.parametrize("width", [1440, 1024, 760, 390, 320])
def test_nothing_overflows_and_nothing_jumps(signed: Page, site, width):
    signed.set_viewport_size({"width": width, "height": 844})
    for path in (*PAGES, _a_run(signed, site)):
        signed.goto(path if path.startswith("http") else site + path)
        over = signed.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, path
        assert signed.evaluate(SHIFT) < 0.02, path


def test_keys(signed: Page, site):
    signed.goto(f"{site}/explore?group_by=flow")
    signed.wait_for_selector("body[data-ready]")
    signed.keyboard.press("w")
    signed.wait_for_url(re.compile("period=7d"))
    signed.wait_for_selector("body[data-ready]")
    signed.keyboard.press("?")
    expect(signed.locator("#keys")).to_be_visible()
    signed.keyboard.press("Escape")
    expect(signed.locator("#keys")).to_be_hidden()
    signed.keyboard.press("a")
    expect(signed.locator(".add-filter .paper")).to_be_visible()
    signed.keyboard.press("Escape")
    expect(signed.locator(".add-filter .paper")).to_be_hidden()
    signed.keyboard.press("j")
    signed.keyboard.press("Enter")
    signed.wait_for_url(re.compile("flow="))
    signed.wait_for_selector("body[data-ready]")
    signed.keyboard.press("g")
    signed.keyboard.press("o")
    expect(signed.locator("h1")).to_have_text("Overview")
    assert "period=7d" in signed.url


def test_a_filter_is_chosen_from_values_with_counts(signed: Page, site):
    signed.goto(f"{site}/explore?group_by=flow")
    signed.click(".add-filter summary")
    signed.click("#filter-values >> text=Provider")
    signed.wait_for_selector("#value-list")
    signed.fill("#narrow", "anth")
    expect(signed.locator("#value-list .value:visible")).to_have_count(1)
    signed.click("#value-list >> text=anthropic")
    expect(signed.locator(".chips")).to_contain_text("anthropic")


def test_the_theme_is_switched_and_kept(signed: Page, site):
    signed.click(".person > summary")
    signed.click("button[name=theme][value=dark]")
    expect(signed.locator("html")).to_have_attribute("data-theme", "dark")
    assert signed.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 27)"


def test_the_first_event_appears(signed: Page, live_server, product):
    owner = User.objects.get(email="owner@example.com")
    fresh = create_project(name="Fresh", owners=[owner])
    signed.goto(f"{live_server.url}/p/{fresh.slug}/")
    expect(signed.locator("#live")).to_contain_text("Waiting for the first event of Fresh")
    _, secret = create_key(project=fresh, scopes=["ingest"])
    snippet = signed.locator("#snippet").inner_text()
    body = json.loads(snippet.partition("-d '")[2].rstrip().removesuffix("'"))
    request = urllib.request.Request(
        f"{live_server.url}/v1/events", json.dumps(body).encode(),
        {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 202
    desk.load()
    expect(signed.locator("#live")).to_contain_text("It arrived.", timeout=6000)
    expect(signed.locator("#live")).to_contain_text("support-triage")
    expect(signed.locator("#live")).to_contain_text("0.000616")

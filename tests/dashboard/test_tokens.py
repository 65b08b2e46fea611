"""The server's colours are those of the style sheet, and text is legible on every surface."""

import re
from pathlib import Path

import pytest

from dashboard.tokens import DARK, LIGHT, THEMES

SHEET = Path(__file__).parents[2] / "dashboard/static/dashboard/css/tokens.css"
TEXT = ("ink", "ink-2", "ink-3", "link", "worse", "better", "warn")
SURFACES = ("paper", "band", "hover", "select", "worse-wash", "better-wash", "warn-wash")


def block(selector: str, nth: int = 0) -> dict[str, str]:
    found = re.findall(re.escape(selector) + r"[^{]*\{([^}]*)\}", SHEET.read_text())[nth]
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", found))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_sheet_and_the_server_agree():
    assert block(":root") == LIGHT
    assert block('[data-theme="dark"]') == DARK
    assert block('[data-theme="system"]') == DARK


@pytest.mark.parametrize("theme", sorted(THEMES))
@pytest.mark.parametrize("role", TEXT)
@pytest.mark.parametrize("surface", SURFACES)
def test_text_is_legible_everywhere(theme, role, surface):
    assert contrast(THEMES[theme][role], THEMES[theme][surface]) >= 4.5


@pytest.mark.parametrize("theme", sorted(THEMES))
@pytest.mark.parametrize("role", ["c1", "c2", "c3", "c4", "c5", "c6", "c7", "rest", "bar", "edge", "focus"])
def test_graphics_stand_out_from_paper(theme, role):
    assert contrast(THEMES[theme][role], THEMES[theme]["paper"]) >= 3


def test_no_style_is_inline():
    templates = Path(__file__).parents[2] / "templates"
    pages = [
        page
        for page in templates.rglob("*.html")
        if re.search(r"\sstyle=|<style|\son[a-z]+=", page.read_text())
    ]
    assert pages == []

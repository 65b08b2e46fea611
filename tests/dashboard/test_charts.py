"""Figures are plain dicts that Plotly accepts, with no colour that is no token."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import plotly.graph_objects as go
import pytest

from dashboard import charts
from dashboard.charts import Plot, Series
from dashboard.tokens import THEMES

DAY = timedelta(days=1)


def plot(days: int = 24, members: int = 8, **changes) -> Plot:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    tokens = ("c1", "c2", "c3", "c4", "c5", "c6", "c7", "rest")
    series = tuple(
        Series(name=f"model {i}", token=tokens[i], values=tuple(float(i + d % 5) for d in range(days)))
        for i in range(members)
    )
    given = {
        "buckets": tuple(start + d * DAY for d in range(days)),
        "series": series,
        "grain": "day",
        "prefix": "$",
    }
    return Plot(**given | changes)


def texts(value):
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("theme", sorted(THEMES))
@pytest.mark.parametrize("grain", sorted(charts.LOOKS))
@pytest.mark.parametrize("make", [charts.stacked, charts.lines])
def test_plotly_accepts_every_figure(make, grain, theme):
    figure = make(plot(grain=grain, filling=True, base=(3.0,) * 30))
    resolved = charts.resolve(figure, theme)
    assert not [text for text in texts(resolved) if text.startswith("--")]
    made = go.Figure(resolved)
    assert len(made.data) == len(figure["data"])


@pytest.mark.parametrize(("days", "members"), [(0, 0), (0, 2), (1, 1), (1, 8), (365, 8)])
@pytest.mark.parametrize("make", [charts.stacked, charts.lines])
def test_few_and_many_buckets(make, days, members):
    made = make(plot(days, members, filling=True))
    figure = go.Figure(charts.resolve(made, "light"))  # Plotly refuses what it does not know
    assert len(figure.data) == len(made["data"])


def test_the_current_bucket_is_pale_and_outlined():
    bar = charts.stacked(plot(filling=True))["data"][0]["marker"]
    assert bar["opacity"][-2:] == [1.0, charts.FILLING]
    assert bar["line"]["color"][-2:] == ["--paper", "--c1"]


def test_the_last_leg_of_a_line_is_dotted_and_hollow():
    solid, leg = charts.lines(plot(members=1, filling=True))["data"]
    assert solid["y"][-1] is None
    assert leg["line"]["dash"] == "2px,3px"
    assert leg["marker"]["color"] == "--paper"


def test_shares_of_a_bucket_make_a_hundred():
    shared = charts.as_shares(plot())
    assert all(abs(sum(series.values[d] or 0 for series in shared.series) - 100) < 1e-9 for d in range(24))


def test_cumulated_ends_with_the_total():
    before = plot()
    after = charts.cumulated(before)
    for one, two in zip(before.series, after.series, strict=True):
        assert two.values[-1] == pytest.approx(sum(value or 0 for value in one.values))


def test_names_never_cover_each_other():
    places = charts.spread([0.0, 1.0, 2.0, 250.0, 251.0], gap=15, top=248)
    assert all(after - before >= 15 - 1e-9 for before, after in pairwise(places))
    assert places[-1] <= 248


def test_a_name_is_never_markup():
    notes = charts.lines(plot(members=1, series=(Series(name="<b>x</b>", token="c1", values=(1.0,) * 24),)))
    assert "&lt;b&gt;x&lt;/b&gt;" in texts(notes["layout"]["annotations"])

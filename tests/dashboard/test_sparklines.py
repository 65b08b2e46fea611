"""Small graphics: bars from zero, one call visible, gaps left open; nothing inline."""

from decimal import Decimal

import pytest

from dashboard import colours, sparklines


def test_the_smallest_amount_is_a_pixel_and_nothing_is_a_faint_line():
    drawn = sparklines.bars([1, 0, 1_000_000])
    assert drawn.count("<rect") == 2
    assert 'height="1.0"' in drawn
    assert drawn.count('class="nothing"') == 1


def test_the_bucket_that_fills_is_hollow():
    assert sparklines.bars([1, 2], filling=True).count('class="filling"') == 1
    assert 'class="filling"' not in sparklines.bars([1, 2])


def test_a_gap_in_a_rate_stays_a_gap():
    drawn = sparklines.line([0.1, None, 0.3, 0.2])
    assert drawn.count("M") == 2
    assert "<circle" in drawn


@pytest.mark.parametrize("values", [[], [None], [None, None]])
def test_nothing_known_is_a_faint_line(values):
    assert 'class="nothing"' in sparklines.line(values)
    assert "style=" not in sparklines.line(values)


def test_readers_get_one_sentence_or_nothing():
    assert 'aria-label="Calls: 2 points"' in sparklines.bars([1, 2], label="Calls: 2 points")
    assert 'aria-hidden="true"' in sparklines.bars([1, 2])


@pytest.mark.parametrize(
    ("share", "width"), [(Decimal("0.5"), "80.0"), (Decimal("0.0001"), "1.0"), (None, "0.0")]
)
def test_share_bars_are_of_one_scale(share, width):
    assert f'width="{width}"' in sparklines.share_bar(share, scale=Decimal("0.5"))


def test_kept_colours_come_first_and_the_rest_is_lent():
    kept = {"a": 3, "z": 1}
    found = colours.lend(["a", "b", "(rest)", "c", "(unattributed)"], kept)
    assert found == {"a": "c3", "b": "c1", "(rest)": "rest", "c": "c2", "(unattributed)": "rest"}


def test_more_members_than_colours_are_grey():
    found = colours.lend([str(number) for number in range(9)], {})
    assert list(found.values()).count("rest") == 2

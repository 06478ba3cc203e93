"""Lengths at which prices begin, as the bands that they hold for."""

import pytest

from pipeline.reading.bands import Band, bands


def test_a_band_ends_where_the_next_begins() -> None:
    assert bands([0, 32_000, 200_000]) == {
        0: Band(context_from=0, context_to=32_000),
        32_000: Band(context_from=32_000, context_to=200_000),
        200_000: Band(context_from=200_000, context_to=None),
    }


def test_one_price_from_the_start_is_for_all_prompts() -> None:
    assert bands([0]) == {0: Band(context_from=None, context_to=None)}


def test_one_price_for_long_prompts_is_not_for_short_ones() -> None:
    assert bands([200_000]) == {200_000: Band(context_from=200_000, context_to=None)}


@pytest.mark.parametrize("starts", [[0, 0], [0, 32_000, 32_000], [0, 200_000, 32_000], [0, -1]])
def test_bands_that_do_not_rise_are_refused(starts: list[int]) -> None:
    with pytest.raises(ValueError, match="do not follow each other"):
        bands(starts)

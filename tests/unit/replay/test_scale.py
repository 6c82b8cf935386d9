"""Places on columns: every place is in one column, ends are at the ends, and a column leads back to itself."""

import pytest

from deathless.tools.replay.scale import Scale


@pytest.mark.parametrize("width", [1, 2, 7, 80, 131])
@pytest.mark.parametrize("count", [1, 2, 3, 79, 80, 81, 3600])
def test_every_place_is_in_exactly_one_column(count, width):
    scale = Scale(count, width)
    placed = [place for column in range(width) for place in scale.places(column)]
    assert placed == list(range(count))
    for column in range(width):
        assert all(scale.column_of(place) == column for place in scale.places(column))


@pytest.mark.parametrize("count", [2, 3, 80, 3600])
def test_the_first_and_the_last_place_are_at_the_ends(count):
    scale = Scale(count, 80)
    assert (scale.column_of(0), scale.column_of(count - 1)) == (0, 79)
    assert (scale.place_of(0), scale.place_of(79)) == (0, count - 1)
    assert (scale.place_of(-5), scale.place_of(500)) == (0, count - 1)


@pytest.mark.parametrize("count", [80, 81, 1000, 3600])
def test_a_click_on_a_column_goes_to_a_place_in_it(count):
    scale = Scale(count, 80)
    assert [scale.column_of(scale.place_of(column)) for column in range(80)] == list(range(80))

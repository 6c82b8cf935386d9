"""Histograms against sorted lists."""

import math

from hypothesis import given
from hypothesis import strategies as st

from deathless.tools.loadtest.histogram import LEAST_S, MOST_S, RATIO, Histogram

values = st.lists(st.floats(min_value=0.0, max_value=MOST_S), min_size=1, max_size=300)


def histogram_of(numbers):
    made = Histogram()
    for number in numbers:
        made.add(number)
    return made


@given(values, st.sampled_from([0.1, 1, 50, 90, 99, 99.9, 100]))
def test_a_percentile_is_that_of_the_sorted_values_within_a_bucket(numbers, percent):
    true = sorted(numbers)[max(1, math.ceil(len(numbers) * percent / 100)) - 1]
    found = histogram_of(numbers).percentile(percent)
    assert found <= max(numbers)
    assert true <= found * (1 + 1e-9) + LEAST_S
    assert found <= true * RATIO * (1 + 1e-9) + LEAST_S


@given(values, values)
def test_merging_is_counting_both(first, then):
    merged, both = histogram_of(first), histogram_of(first + then)
    merged.merge(histogram_of(then))
    assert (merged.count, merged.worst_s) == (both.count, both.worst_s)
    assert list(merged.bars(4)) == list(both.bars(4))


@given(values)
def test_bars_are_ascending_and_hold_every_value(numbers):
    bars = list(histogram_of(numbers).bars(4))
    assert sum(count for _, _, count in bars) == len(numbers)
    assert all(least < most for least, most, _ in bars)
    assert all(bar[1] <= after[0] * (1 + 1e-9) for bar, after in zip(bars, bars[1:], strict=False))


@given(values)
def test_it_takes_bounded_memory(numbers):
    assert len(histogram_of(numbers)._buckets) <= math.log(MOST_S / LEAST_S) / math.log(RATIO) + 2


def test_an_empty_one_has_no_percentiles():
    assert Histogram().percentile(50) is None

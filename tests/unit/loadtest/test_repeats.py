"""What is sent again after a kill."""

from random import Random

from deathless.tools.loadtest.frames import Frame
from deathless.tools.loadtest.inputs import Input, Kind
from deathless.tools.loadtest.repeats import Repeats


def item(number):
    return Input(number, int(Kind.SIGNAL), 0, 1, {}, 0.0)


def frame(refused):
    return Frame(0.0, 0.0, 0.0, 0, 0, 0, 0, 0, [], refused, [], None, None)


def test_what_was_not_acknowledged_comes_again_in_order_and_half_of_what_just_was():
    sent = [item(number) for number in range(1000)]
    again = [found.number for found in Repeats(Random(1), most=50).of(sent, range(100), [frame([])])]
    assert again == sorted(again)
    assert again[:100] == list(range(100))
    assert 350 < len(again) - 100 < 550


def test_what_was_refused_does_not_come_again():
    sent = [item(number) for number in range(100)]
    again = Repeats(Random(1), most=50).of(sent, (), [frame(list(range(50))), frame(list(range(50, 100)))])
    assert again == []


def test_of_all_that_was_acknowledged_some_of_every_age_are_remembered():
    repeats = Repeats(Random(1), most=50)
    for number in range(10_000):
        repeats.remember(item(number))
    numbers = [found.number for found in repeats.earlier]
    assert len(numbers) == 50
    assert min(numbers) < 2_000
    assert max(numbers) > 8_000


def test_a_world_that_forgets_names_is_sent_nothing_of_old():
    repeats = Repeats(Random(1), most=0)
    repeats.remember(item(0))
    assert repeats.earlier == []

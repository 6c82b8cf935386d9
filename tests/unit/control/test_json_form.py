"""Values as operators see them."""

import json
from collections import namedtuple
from dataclasses import dataclass
from enum import Enum

import pytest

from deathless.tools.control.json_form import json_form


@dataclass
class Purse:
    gold: int
    owner: bytes


class Mood(Enum):
    CALM = 1


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        (1.5, 1.5),
        (float("inf"), "inf"),
        ("ü", "ü"),
        (b"\x01\xff", "01ff"),
        ((1, [2, (3,)]), [1, [2, [3]]]),
        ({1: "a", (1, 2): None}, {"1": "a", "(1, 2)": None}),
        ({3, 1, 2}, [1, 2, 3]),
        (Purse(3, b"\x00"), {"gold": 3, "owner": "00"}),
        (Mood.CALM, "Mood.CALM"),
        (namedtuple("Spot", "x y")(1, 2), [1, 2]),
    ],
)
def test_every_value_has_a_form_that_json_can_write(value, form):
    assert json_form(value) == form
    assert json.loads(json.dumps(json_form(value), allow_nan=False)) == form

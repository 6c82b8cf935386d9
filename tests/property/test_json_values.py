"""What SQL shows of a value is JSON, and says as much as JSON can."""

import json
import math

import apsw
from hypothesis import given
from hypothesis import strategies as st
from value_graphs import graphs

from deathless.runtime.sql.json_values import json_text, sql_value

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
DATABASE = apsw.Connection(":memory:")


@given(graphs())
def test_every_durable_value_is_shown_as_json(graph):
    text = json_text({"state": graph})
    assert isinstance(json.loads(text)["state"], list)
    assert list(DATABASE.execute("SELECT json_valid(?)", (text,))) == [(1,)]


@given(PLAIN)
def test_what_json_has_is_shown_as_it_is(value):
    assert json.loads(json_text(value)) == value


@given(graphs() | PLAIN | st.floats())
def test_every_value_makes_a_cell(value):
    cell = sql_value(value)
    (kept,) = next(iter(DATABASE.execute("SELECT ?", (cell,))))
    # SQLite has no NaN: it keeps NULL.
    assert kept == cell or (kept is None and math.isnan(cell))


def test_a_value_inside_itself_is_cut():
    ring = [1]
    ring.append(ring)
    assert json_text(ring) == '[1,"..."]'

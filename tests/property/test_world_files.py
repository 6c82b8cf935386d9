"""Lines of world files: whatever bytes a row holds, its line reads back as these bytes, and is JSON that others read."""

import io
import json

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from deathless.runtime.storage.store import Store
from deathless.tools.output import BadInput
from deathless.tools.transfer import export_world, import_world
from deathless.tools.transfer.row_lines import Row, read_line, write_line
from deathless.tools.transfer.table_shapes import shapes_of
from deathless.tools.transfer.world_file import Head, LineReader, LineWriter

META = {b"table:gold": msgpack.packb("str"), b"table:map": msgpack.packb(["int", "bytes"])}
TABLES = (
    *("workflow", "activity", "input", "meta", "turn", "code", "entity", "group", "type", "ended"),
    *(
        "history_turn",
        "history_step",
        "history_last",
        "history_index",
        "table:gold",
        "table:map",
        "table:?",
        "event",
    ),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(),
    st.binary(),
    st.builds(msgpack.ExtType, st.integers(0, 127), st.binary()),
    # What stands for something else, and packed values in bytes.
    st.sampled_from(
        ["base64", "msgpack", "ext", "map", "float", "number", b"\x90", b"\x81\x01\x02", b"\x00" * 8]
    ),
)
KEYS = st.one_of(
    st.text(), st.integers(-5, 300), st.sampled_from(["base64", "map", "msgpack", "number"]), st.binary()
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(KEYS, inner), inner.map(msgpack.packb)),
    max_leaves=20,
)
ROWS = st.lists(LEAVES, min_size=5, max_size=17)
PACKED = st.one_of(
    st.binary(),
    VALUES.map(msgpack.packb),
    ROWS.map(msgpack.packb),
    # Other ways to pack: they read as the same values, and are other bytes.
    st.floats(width=32).map(lambda value: msgpack.packb(value, use_single_float=True)),
    st.integers(0, 100).map(lambda number: b"\xcd" + number.to_bytes(2, "big")),
)


@given(st.sampled_from(TABLES), st.binary(min_size=1, max_size=40), PACKED)
def test_a_line_reads_back_as_the_same_bytes(table, key, value):
    shape = shapes_of(META)(table)
    row = Row(table, key, value)
    line = write_line(row, shape)
    assert b"\n" not in line
    assert read_line(line, shape) == row
    parsed = json.loads(line, parse_constant=refuse)
    assert parsed["table"] == table


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


@given(VALUES)
def test_a_value_is_readable_whatever_it_holds(value):
    line = write_line(Row("diary", b"k", msgpack.packb(value)), shapes_of({})("diary"))
    row = json.loads(line)["row"]
    # What is bytes as a whole could be taken for the stored ones, and only that is not spelled out.
    assert type(value) is bytes or not (isinstance(row, dict) and row.keys() == {"base64"})


CONTENT = st.dictionaries(
    st.sampled_from([table for table in TABLES if table != "meta"]),
    st.dictionaries(st.binary(min_size=1, max_size=40), PACKED, max_size=4),
    max_size=5,
)


@given(CONTENT)
def test_any_tables_go_round(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("world")
    with Store.open(folder / "world", durability="process") as store:
        store.commit({**content, "meta": META})
        digest = store.digest()
    export_world(folder / "world", folder / "world.jsonl")
    import_world(folder / "world.jsonl", folder / "again")
    with Store.open(folder / "again", create=False) as store:
        assert store.digest() == digest


@given(
    st.lists(st.tuples(st.binary(min_size=1, max_size=9), PACKED), unique_by=lambda row: row[0], max_size=9),
    st.data(),
)
def test_no_byte_of_a_file_can_be_changed_unnoticed(rows, data):
    file, find = io.BytesIO(), shapes_of({})
    writer = LineWriter(file)
    writer.head(Head(1, 0, {"event": len(rows)}))
    for key, value in sorted(rows):
        writer.row(Row("event", key, value), find("event"))
    writer.end()
    content = bytearray(file.getvalue())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    try:
        reader = LineReader("file", io.BytesIO(bytes(content)))
        reader.head()
        read = list(reader.rows(find, lambda _done, _of: None, 0))
    except BadInput:
        return
    # A few bytes say nothing: the white space of JSON in the last line.
    assert [(row.key, row.value) for row in read] == sorted(rows)
    assert at > len(content) - len(content.splitlines()[-1]) - 2

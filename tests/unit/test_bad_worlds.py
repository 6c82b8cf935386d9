"""Damaged values of a world: a clear error that names them, and nothing of the world touched."""

import msgpack
import pytest

from deathless import Context, GameClock, NotAWorldError, Runtime, WorldCorruptError, workflow
from deathless.runtime import Store


@workflow
async def plain(ctx: Context) -> None:
    count = 1
    while True:
        await ctx.sleep(count)


@pytest.fixture
def path(tmp_path):
    with Runtime(tmp_path / "world", [plain], clock=GameClock(), max_steps_per_turn=2) as world:
        for entity in range(5):
            world.start(plain(), entity_id=entity)
        world.advance(0.1)
    return tmp_path / "world"


DAMAGE = {
    "a row that is no msgpack": ("workflow", (1).to_bytes(8, "big"), b"\xc1\xff", "row of workflow 1"),
    "an empty row": ("workflow", (1).to_bytes(8, "big"), b"", "row of workflow 1"),
    "a row of another shape": (
        "workflow",
        (1).to_bytes(8, "big"),
        msgpack.packb([1, 2]),
        "row of workflow 1",
    ),
    "a truncated row": ("workflow", (1).to_bytes(8, "big"), b"\x9f\xce\x00", "row of workflow 1"),
    "a state that is no map": ("meta", b"world", msgpack.packb(5), "'world' of table meta|world"),
    "a state that lacks a name": ("meta", b"world", msgpack.packb({"turn": 1}), "world"),
    "a description that is no msgpack": ("code", (1).to_bytes(4, "big"), b"\xc1", "table code"),
    "leftovers of another shape": ("turn", b"leftover", msgpack.packb([1]), "last turn left"),
    "leftovers that are no msgpack": ("turn", b"leftover", b"\xc1", "last turn left"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_value_is_named_and_the_world_is_left_as_it_was(path, name):
    table, key, value, words = DAMAGE[name]
    with Store.open(path) as store:
        kept = store.get(table, key)
        store.commit({table: {key: value}})
        damaged = store.digest()
    with pytest.raises(WorldCorruptError, match=words):
        Runtime(path, [plain], clock=GameClock())
    with Store.open(path) as store:
        assert store.digest() == damaged
        store.commit({table: {key: kept}})
    with Runtime(path, [plain], clock=GameClock()) as world:
        assert world.recovery.workflows == 5


def test_a_damaged_local_holds_its_workflow_and_no_other(path):
    with Runtime(path, [plain], clock=GameClock()) as world:
        world.run_until(0.5)
        number = world.workflows(entity_id=0)[0].id
    with Store.open(path) as store:
        key = number.to_bytes(8, "big")
        fields = msgpack.unpackb(store.get("workflow", key), strict_map_key=False)
        fields[11][0][2] = msgpack.ExtType(99, b"?")
        store.commit({"workflow": {key: msgpack.packb(fields)}})
    with Runtime(path, [plain], clock=GameClock()) as world:
        world.run_until(5.0)
        held = [view for view in world.workflows() if view.held_reason]
        assert [view.id for view in held] == [number]
        assert world.count() == 5


def test_a_file_is_no_world(tmp_path):
    (tmp_path / "file").write_text("hello")
    with pytest.raises(NotAWorldError):
        Runtime(tmp_path / "file", [plain])

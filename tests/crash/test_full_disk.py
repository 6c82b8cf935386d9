"""A full disk: the commit is refused, nothing is lost, and the world goes on when there is room."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, signal, sys
from deathless import Context, GameClock, Runtime, Signal, WorldFull, workflow

class Note(Signal):
    text: str = ""

@workflow
async def book(ctx: Context) -> int:
    notes = []
    while True:
        notes.append((await ctx.receive(Note)).text)

path, room = sys.argv[1], int(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
world = Runtime(path, [book], clock=GameClock(), durability=sys.argv[3])
books = [world.start(book(), entity_id=n) for n in range(200)]
world.advance(0.1)
sent = 0

def write():
    global sent
    for entity in range(200):
        world.signal(Note("x" * 100), entity_id=entity)
    sent += 1
    world.advance(0.1)

for _ in range(3):
    write()
size = (world._engine.store.path / "data.mdb").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, resource.RLIM_INFINITY))
try:
    while True:
        write()
        assert sent < 500, "the disk never got full"
except WorldFull as error:
    assert "room" in str(error), error
turn, durable = world.turn, world.committed_turn
assert durable == turn - 1
for call in (lambda: world.signal(Note("y"), entity_id=1), lambda: world.start(book()), lambda: world.pump()):
    try:
        call()
    except WorldFull:
        continue
    raise AssertionError("a full world took more")
assert world.turn == turn, "no new turn before the last one is written"
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
world.pump()
assert world.committed_turn >= turn
write()
world._engine.abandon("as SIGKILL would")
with Runtime(path, [book], clock=GameClock(), durability=sys.argv[3]) as world:
    views = world.workflows(type="book")
    assert len(views) == 200
    assert {len(view.locals["notes"]) for view in views} == {sent}, "what was accepted is there, once"
print("sent", sent)
"""


@pytest.mark.parametrize("durability", ["power", "process"])
@pytest.mark.parametrize("room", [0, 300_000])
def test_a_full_disk_loses_nothing_and_the_world_goes_on_when_there_is_room(tmp_path, durability, room):
    # A file of its own: the source of a workflow must be found.
    script = tmp_path / "full_disk.py"
    script.write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, str(script), str(tmp_path / "world"), str(room), durability]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("sent ")

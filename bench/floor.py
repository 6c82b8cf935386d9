"""The floor: what this machine gives to anybody who packs a row and commits it.

One thread, a reused Packer, rows of 150 bytes under 10,000 keys of eight bytes in shuffled order, one synced commit
per 1,024, py-lmdb directly, in an environment opened as the store opens its own. Steps are judged by their ratio to
it, measured within the same run: the machine's noise is in both.
"""

from __future__ import annotations

import time
from pathlib import Path

import msgpack
from report import Section, Spread
from workloads import BATCH, batches, shuffled

from deathless.runtime.storage.environment import DEFAULT_MAP_SIZE, open_environment
from deathless.runtime.storage.world_format import make_world

KEYS = 10_000
ROW_BYTES = 150


class Floor:
    """Rows a second, for `run` to be called between the runs of something else."""

    def __init__(
        self,
        place: Path,
        *,
        sync: bool = True,
        in_order: bool = False,
        keys: int = KEYS,
        entities: list[int] | None = None,
    ) -> None:
        """Make a world of nothing but rows.

        Args:
            place: where it is made.
            sync: whether its commits are synced.
            in_order: write the rows of a commit in key order.
            keys: how many there are.
            entities: those that are written, in this order, when all keys have been; all, shuffled, if this is None.
        """
        place.mkdir()
        make_world(place)
        self._environment = open_environment(place, map_size=DEFAULT_MAP_SIZE, sync=sync)
        self._table = self._environment.open_db(b"workflow")
        self._batches = batches(shuffled(keys) if entities is None else entities)
        self._keys = [number.to_bytes(8, "big") for number in range(keys)]
        self._packer = msgpack.Packer()
        self._state = [1_234_567, 0, "buff", 42, None, [100, 1.5, "orc"], b""]
        self._state[-1] = bytes(ROW_BYTES - len(self._packer.pack(self._state)))
        assert len(self._packer.pack(self._state)) == ROW_BYTES
        self._in_order = in_order
        if entities is not None:
            self._fill()
        self.runs: list[float] = []
        self.run(10)
        self.runs.clear()

    def run(self, commits: int) -> float:
        state, keys, pack, table = self._state, self._keys, self._packer.pack, self._table
        began = time.perf_counter()
        for count in range(commits):
            state[1] = count & 127
            entities = next(self._batches)
            if self._in_order:
                entities.sort()
            with self._environment.begin(write=True) as transaction:
                put = transaction.put
                for entity in entities:
                    put(keys[entity], pack(state), db=table)
        rate = commits * BATCH / (time.perf_counter() - began)
        self.runs.append(rate)
        return rate

    def _fill(self) -> None:
        """Write all rows in key order, as a world does whose workflows are started one after the other."""
        row = self._packer.pack(self._state)
        with self._environment.begin(write=True) as transaction, transaction.cursor(db=self._table) as cursor:
            cursor.putmulti([(key, row) for key in self._keys])

    def close(self) -> None:
        self._environment.close()


def measure(scratch: Path, *, rounds: int, commits: int) -> Section:
    """Compare the floor with its relatives, one run of each at a time."""
    kinds = {
        "floor: shuffled, synced": Floor(scratch / "shuffled"),
        "in key order, synced": Floor(scratch / "ordered", in_order=True),
        "shuffled, not synced": Floor(scratch / "unsynced", sync=False),
    }
    for _ in range(rounds):
        for each in kinds.values():
            each.run(commits)
    section = Section(
        f"floor: {ROW_BYTES}-byte rows, {KEYS:,} keys, a commit per {BATCH:,}", ["", "rows/s", "us a row"]
    )
    for name, each in kinds.items():
        each.close()
        spread = Spread.of(each.runs)
        section.add(name, spread.rate(), f"{1e6 / spread.median:.2f}")
        section.data[name] = spread.as_json()
    return section

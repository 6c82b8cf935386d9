"""A store with its commit log against a dict: after commits, crashes and ends, read from inside and from outside."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from deathless import WorldError
from deathless.runtime import Store
from deathless.runtime.storage import commit_log, pieces
from deathless.runtime.storage.commit_log import LOG
from deathless.runtime.storage.log_view import LogView

TABLES = ("a", "entity", "workflow")
ALL_KEYS = [number.to_bytes(8, "big") for number in (0, 1, 2, 255, 256, 257, 600, 2**64 - 1)] + [b"a", b"ab"]
KEYS = st.sampled_from(ALL_KEYS)
VALUES = st.one_of(st.none(), st.binary(max_size=6))
CHANGES = st.dictionaries(st.sampled_from(TABLES), st.dictionaries(KEYS, VALUES, max_size=5), max_size=3)
LARGE, PIECE = 200, 30


class StoreAgainstDict(RuleBasedStateMachine):
    @initialize(cycle=st.sampled_from([1, 2, 3, 16]))
    def begin(self, cycle: int) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(commit_log, "CYCLE", cycle)
        self.patch.setattr(commit_log, "LARGEST_ENTRY", LARGE)
        self.patch.setattr(pieces, "PIECE", PIECE)
        self.bound = 2 * cycle + 2
        self.places = Path(tempfile.mkdtemp())
        self.opened = 0
        self.place = self.places / "0"
        self.store = Store.open(self.place, durability="process")
        self.model: dict[str, dict[bytes, bytes]] = {table: {} for table in TABLES}
        self.view = LogView()

    @rule(changes=CHANGES)
    def commit(self, changes: dict[str, dict[bytes, bytes | None]]) -> None:
        self.store.commit(changes)
        for table, rows in changes.items():
            for key, value in rows.items():
                self.model[table].pop(key, None)
                if value is not None:
                    self.model[table][key] = value

    @rule(table=st.sampled_from(TABLES), size=st.integers(LARGE, 2 * LARGE))
    def commit_what_is_large(self, table: str, size: int) -> None:
        self.commit({table: {bytes(8): bytes(size)}})

    @rule(table=st.sampled_from(TABLES), key=st.sampled_from([b"", bytes(512)]))
    def commit_what_cannot_be(self, table: str, key: bytes) -> None:
        with pytest.raises(WorldError, match="a key of table"):
            self.store.commit({table: {bytes(8): b"lost", key: b""}})

    @rule()
    def close_and_open(self) -> None:
        self.store.close()
        self.store = Store.open(self.place, durability="process")
        assert self.entries() <= 1

    @rule()
    def crash(self) -> None:
        """What lies on the disk now is what a kill leaves."""
        self.opened += 1
        place = self.places / str(self.opened)
        shutil.copytree(self.place, place)
        self.store.close()
        self.place, self.store = place, Store.open(place, durability="process")

    @precondition(lambda self: hasattr(self, "store"))
    @rule()
    def look_from_outside(self) -> None:
        with self.store._reader() as (transaction, handles):
            if LOG in handles:
                with transaction.cursor(db=handles[LOG]) as cursor:
                    self.view.refresh(cursor)
            for table in TABLES:
                seen = {}
                if table in handles:
                    with transaction.cursor(db=handles[table]) as cursor:
                        seen = dict(cursor)
                seen.update(self.view.rows.get(table, {}))
                assert {key: value for key, value in seen.items() if value is not None} == self.model[table]

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        if not hasattr(self, "store"):
            return
        for table, rows in self.model.items():
            assert list(self.store.scan(table)) == sorted(rows.items())
            assert all(self.store.get(table, key) == rows.get(key) for key in ALL_KEYS)
            middle = ALL_KEYS[4]
            assert list(self.store.scan(table, middle)) == sorted(
                row for row in rows.items() if row[0] >= middle
            )
        entries = self.store.stats().entries
        assert {table: entries.get(table, 0) for table in TABLES} == {
            t: len(rows) for t, rows in self.model.items()
        }
        assert self.entries() <= self.bound

    def entries(self) -> int:
        with self.store._reader() as (transaction, handles):
            if LOG not in handles:
                return 0
            with transaction.cursor(db=handles[LOG]) as cursor:
                return len({key[:8] for key in cursor.iternext(values=False)})

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.patch.undo()
            with suppress(WorldError):
                self.store.close()
            shutil.rmtree(self.places)


TestStoreAgainstDict = StoreAgainstDict.TestCase
TestStoreAgainstDict.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

"""What must be true of a world after a crash, by the ledger and by the world itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from crash_flows import COLLECTORS, checksum_after
from crash_ledger import Ledger, Target

from deathless import GameClock, Runtime, WorkflowView
from deathless.runtime.audit.reader import AuditReader


class Checker:
    """Checks one world again and again, and remembers what may never change."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._identity: dict[int, tuple[Any, ...]] = {}
        self._ended: dict[int, tuple[Any, ...]] = {}

    def check(self, world: Runtime) -> None:
        """Settle the ledger by the recovered world, let the world come to rest, and compare the two."""
        ledger = self._ledger
        now_us = round(world.now * 1e6)
        assert now_us >= ledger.now_us, f"recovered at {now_us} us, after {ledger.now_us} us was acknowledged"
        ledger.settle(world.recovery.turn)
        self._game = isinstance(world._engine.clock, GameClock)
        come_to_rest(world, game=self._game)
        self._now_us = round(world.now * 1e6)
        self._views = {view.id: view for view in world.workflows()}
        active = [view for view in self._views.values() if view.status == "Suspended"]
        assert world.count() == len(active), (world.count(), len(active))
        self._check_ids()
        for view in self._views.values():
            assert view.status in ("Suspended", "Completed", "Cancelled") or view.type == "kid", view
            assert view.held_reason is None, view
        self._check_timers(world, active)
        self._check_recorders()
        self._check_reports()
        self._check_families()
        self._check_audit(world)
        for workflow_id, target in ledger.targets.items():
            view = self._views[workflow_id]
            if target.type in TARGET_CHECKS:
                TARGET_CHECKS[target.type](self, view, target)
            elif target.cancels:
                assert view.status != "Suspended", f"a cancel was acknowledged, and it runs: {view}"

    # -- all workflows -------------------------------------------------------------------------------------

    def _check_ids(self) -> None:
        """Whoever was started is here, whoever was lost is not, and nobody has turned into another."""
        targets = self._ledger.targets
        assert not targets.keys() - self._views.keys(), "acknowledged starts are not in the world"
        assert not self._ledger.lost & self._views.keys(), "a start of an unfinished turn is in the world"
        for workflow_id, view in self._views.items():
            target = targets.get(workflow_id)
            if target is None:
                assert view.parent_id in self._views, f"nobody started {view}"
            else:
                started = (view.type, view.entity_id, view.correlation_id, view.parent_id)
                assert started == (target.type, target.entity, target.group, None), view
            identity = (view.type, view.entity_id, view.correlation_id, view.parent_id, view.created_at)
            assert self._identity.setdefault(workflow_id, identity) == identity, view
            if view.status != "Suspended":
                end = (view.status, repr(view.result), view.error_message, view.updated_at)
                assert self._ended.setdefault(workflow_id, end) == end, view
        for workflow_id in self._ended:
            assert self._views[workflow_id].status != "Suspended", f"came back to life: {workflow_id}"

    def _check_timers(self, world: Runtime, active: list[WorkflowView]) -> None:
        for view in active:
            for timer in view.timers:
                # A timer that was due already when the last turn armed it waits for the next one.
                in_time = timer.due > world.now or (not self._game and view.updated_at == world.now)
                assert in_time, f"a timer due at {timer.due} has not fired at {world.now}: {view}"

    def _check_audit(self, world: Runtime) -> None:
        """The audit log says of each workflow what it is: neither a start nor an end nor a note is missing or doubled."""
        world.commit()
        events = defaultdict(Counter)
        for event in AuditReader(world._engine.store).events():
            events[event.workflow_id][event.event] += 1
            events[event.workflow_id][event.event, event.detail] += 1
        events.pop(None, None)
        assert events.keys() == self._views.keys()
        for workflow_id, view in self._views.items():
            found = events[workflow_id]
            assert found["started"] == 1, (view, found)
            for status in ("Completed", "Failed", "Cancelled"):
                # One that has failed may be cancelled by force.
                failed_before = status == "Failed" and view.status == "Cancelled"
                most = view.status == status or failed_before
                assert most - failed_before <= found[status.lower()] <= most, (view, found)
            if view.type == "recorder" and view.status == "Suspended":
                noted = sum(count for count, _ in view.locals["notes"].values())
                assert found["signalled", "Note"] == noted, (view, found)

    # -- messages ------------------------------------------------------------------------------------------

    def _check_recorders(self) -> None:
        parcels = {
            view.id: view.locals["sent"] if view.status == "Suspended" else view.result
            for view in self._of_type("courier")
        }
        received: dict[int, dict[int, list[int]]] = defaultdict(dict)
        recorders = defaultdict(list)
        for view in self._of_type("recorder"):
            recorders[view.entity_id].append(view)
        for entity, (one, other) in recorders.items():
            assert one.locals["notes"] == other.locals["notes"], f"of two receivers one: {one} {other}"
            assert one.locals["parcels"] == other.locals["parcels"], f"of two receivers one: {one} {other}"
            received[entity] = one.locals["parcels"]
            self._check_notes(entity, one.locals["notes"])
            self._check_beats(one)
            self._check_beats(other)
        for courier, sent in parcels.items():
            to = self._ledger.targets[courier].args[0]
            checksum = 0
            for seq in range(sent):
                checksum = checksum_after(checksum, seq)
            assert received[to].get(courier, [0, 0]) == [sent, checksum], (courier, sent)

    def _check_notes(self, entity: int, found: dict[int, list[int]]) -> None:
        """Each acknowledged note once, in its sender's order."""
        expected = self._ledger.notes[entity]
        for sender in expected.keys() | found.keys():
            sequence = expected[sender]
            unsure = self._ledger.unsure.get((entity, sender))
            if unsure is not None and found.get(sender, [0])[0] == len(sequence) + 1:
                sequence.append(unsure)
            checksum = 0
            for seq in sequence:
                checksum = checksum_after(checksum, seq)
            assert found.get(sender, [0, 0]) == [len(sequence), checksum], (entity, sender, len(sequence))

    def _check_beats(self, view: WorkflowView) -> None:
        """Each beat of the timer once, none early."""
        begun_us, period_us = round(view.locals["begun"] * 1e6), round(view.locals["period"] * 1e6)
        assert view.locals["early"] == 0, view
        passed = (self._now_us - begun_us) // period_us
        beats = view.locals["beats"]
        # After downtime on the wall clock a recorder catches up, a beat a turn.
        assert beats == passed if self._game else beats <= passed, (passed, view)

    def _check_reports(self) -> None:
        """What alarms, respawns and productions report has reached every collector once."""
        collectors = [view.locals for view in self._of_type("collector")]
        assert all(book == collectors[0] for book in collectors), collectors
        alarms = [view.id for view in self._of_type("alarm") if view.status == "Completed"]
        targets = self._ledger.targets
        returned = [
            view
            for view in self._of_type("respawn")
            if view.status == "Completed" and targets[view.id].kwargs["notify"] == COLLECTORS
        ]
        made = sum(
            made_of(view)
            for view in self._of_type("production")
            if targets[view.id].kwargs["report_to"] == COLLECTORS
        )
        assert collectors[0] == {
            "fired": len(alarms),
            "numbers": sum(targets[number].args[0] for number in alarms),
            "respawned": len(returned),
            "produced": made,
        }

    # -- parents and children ------------------------------------------------------------------------------

    def _check_families(self) -> None:
        results = {view.id: view.result or 0 for view in self._of_type("kid")}
        for view in self._views.values():
            if view.parent_id is not None and view.status == "Suspended":
                self._check_child(view, self._views[view.parent_id])
            for child in view.children:
                assert self._views[child].parent_id == view.id, view
                assert self._views[child].status == "Suspended", f"child {child} has ended: {view}"
        for view in (*self._of_type("gatherer"), *self._of_type("chooser")):
            if view.status == "Completed":
                end = view.result
                assert end["total"] == sum(results[child] for child in end["children"]), view
                completed = [c for c in end["children"] if self._views[c].status == "Completed"]
                assert end["failed"] == len(end["children"]) - len(completed), view
                assert all(self._views[child].parent_id == view.id for child in end["children"]), view
            elif view.status == "Suspended" and view.type == "chooser":
                heard = view.locals["heard"]
                assert view.locals["total"] == sum(results[child] for child in heard), view

    def _check_child(self, child: WorkflowView, parent: WorkflowView) -> None:
        if parent.status == "Suspended":
            assert child.id in parent.children, f"{parent} does not know {child}"
        else:
            assert child.locals.get("policy") == "abandon", f"an orphan of {parent}: {child}"

    # -- one type each -------------------------------------------------------------------------------------

    def _check_alarm(self, view: WorkflowView, target: Target) -> None:
        if view.status != "Completed":
            return
        end = view.result
        assert end["now"] >= end["due"], f"early: {view}"
        assert abs(end["due"] - end["begun"] - target.args[1]) < 2e-6, view
        assert end["now"] == view.updated_at, view

    def _check_buff(self, view: WorkflowView, target: Target) -> None:
        """Every stack counts as long as it lasts; then a first part of them."""
        if view.status == "Suspended":
            assert target.amounts_before_dispel is None, f"a dispel was acknowledged: {view}"
            assert view.locals["stacks"] == 1 + sum(target.amounts), (view, target.amounts)
            return
        sums = [1 + sum(target.amounts[:count]) for count in range(len(target.amounts) + 1)]
        assert view.result["stacks"] in sums[: (target.amounts_before_dispel or len(sums)) + 1], view
        assert view.result["dispelled"] <= (target.amounts_before_dispel is not None), view
        if not view.result["dispelled"]:
            assert view.updated_at >= view.created_at + target.args[0] - 2e-6, f"early: {view}"

    def _check_production(self, view: WorkflowView, target: Target) -> None:
        """Every delivery is in the stock or in what was made of it."""
        need = target.args[1]["iron"]
        if view.status == "Suspended":
            crafting = "ends_at" in view.locals or "work_left" in view.locals
            used = need * (view.locals["made"] + crafting)
            assert view.locals["stock"]["iron"] + used == sum(target.amounts), (view, target.amounts)
            return
        sums = [sum(target.amounts[:count]) for count in range(len(target.amounts) + 1)]
        assert view.result["made"] == target.kwargs["quantity"], view
        assert view.result["stock"]["iron"] + need * view.result["made"] in sums, (view, target.amounts)

    def _check_respawn(self, view: WorkflowView, target: Target) -> None:
        """It outlives every cancel that is not forced."""
        if view.status == "Suspended":
            assert not target.forced, f"a forced cancel was acknowledged: {view}"
            assert view.locals["refused"] == target.cancels, view
        elif view.status == "Completed":
            assert view.result["refused"] <= target.cancels, view
            assert view.result["at"] >= view.created_at + target.kwargs["delay"] - 2e-6, f"early: {view}"
        else:
            assert target.forced, view

    def _check_patrol(self, view: WorkflowView, target: Target) -> None:
        """Every threat is a fight, or waits for one."""
        fights = self._fights.get(view.id, 0)
        if view.status == "Suspended":
            assert not target.cancels, f"a cancel was acknowledged, and it runs: {view}"
            assert fights + view.unread.count("Threat") == target.threats, (fights, target.threats, view)
        else:
            assert fights <= target.threats, view
            assert view.status == "Cancelled" or view.result["fights"] == fights, view

    @property
    def _fights(self) -> dict[int, int]:
        if self._fights_of is not self._views:
            self._fights_of, self._fight_counts = self._views, defaultdict(int)
            for view in self._of_type("combat"):
                if view.parent_id is not None:
                    self._fight_counts[view.parent_id] += 1
        return self._fight_counts

    _fights_of: Any = None

    def _of_type(self, name: str) -> list[WorkflowView]:
        return [view for view in self._views.values() if view.type == name]


TARGET_CHECKS = {
    "alarm": Checker._check_alarm,
    "buff": Checker._check_buff,
    "production": Checker._check_production,
    "respawn": Checker._check_respawn,
    "npc_patrol": Checker._check_patrol,
}


def come_to_rest(world: Runtime, *, game: bool) -> None:
    """Run what was carried over; on a game clock also all that is due now."""
    for _ in range(1000):
        report = world.pump()
        if not report.carried_over and not (game and report.steps):
            return
    raise AssertionError("the world does not come to rest")


def made_of(view: WorkflowView) -> int:
    """Return how many units a production has made."""
    book = view.locals if view.status == "Suspended" else view.result
    return 0 if book is None else book.get("made", 0)

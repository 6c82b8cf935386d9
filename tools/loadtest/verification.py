"""The world against the ledger: did every acknowledged input take effect exactly once?

Three things are compared, each with what the ledger alone says must be there:

- each witness's numbers: all that are acknowledged, none twice, none that was never sent, none of another witness;
- the workflows that no other started: one for each acknowledged start, of its type, under the id that was told;
- the world's record of names, of each acknowledged input that had one.

Of an input that was sent and never acknowledged nobody can know: it may be there, once. What no input says, the world
itself does: every timer that was due has fired, and parents and children know each other; see `findings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .findings import Findings, Testimony
from .inputs import Kind
from .instruments import WITNESS
from .ledger import Entry

_SEEN_BY_NAME = (Kind.SIGNAL, Kind.PUBLISH)
SHOWN = 20
"""Findings of a kind that are written out; all are counted."""


@dataclass(slots=True)
class Verdict:
    """The outcome.

    Attributes:
        lost: acknowledged and not there.
        doubled: there more than once.
        foreign: there and never sent, or sent to another.
        disordered: witnesses to which numbers came in another order than they were sent.
        acknowledged, refused, unknown: how many inputs of the ledger are which; unknown were never acknowledged.
        witnessed: how many of the acknowledged a witness accounts for, number by number.
        unnamed: of how many of the acknowledged nobody can say whether they took effect: signals and publishes that
            were sent without a name.
        pruned: of how many of the acknowledged nothing is left, in a world that prunes: whether they took effect, it
            cannot say any more. Witnesses stay.
    """

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    acknowledged: int = 0
    refused: int = 0
    unknown: int = 0
    witnessed: int = 0
    unnamed: int = 0
    pruned: int = 0

    @property
    def holds(self) -> bool:
        """Whether every acknowledged input took effect exactly once, and in order."""
        return not (self.lost or self.doubled or self.foreign or self.disordered)


def verify(
    entries: Sequence[Entry],
    found: Findings,
    types: Sequence[str],
    is_named: Mapping[int, bool],
    *,
    prunes: bool = False,
) -> Verdict:
    """Compare.

    Args:
        entries: of the ledger.
        found: what stands in the world.
        types: of each entry of the plan, the type's name.
        is_named: by `Kind`, whether its inputs have names.
        prunes: whether the world deletes what ended long ago, and old names.
    """
    verdict = Verdict(lost=[*found.lost], foreign=[*found.foreign])
    notes: dict[int, list[Entry]] = {
        item.entity: [] for item in entries if item.kind == Kind.START and types[item.entry] == WITNESS
    }
    for item in entries:
        verdict.acknowledged += item.state == "known"
        verdict.refused += item.state == "refused"
        verdict.unknown += item.state == "sent"
        verdict.unnamed += item.state == "known" and item.kind in _SEEN_BY_NAME and not is_named[item.kind]
        is_gone = prunes and item.state == "known" and _is_gone(item, found)
        verdict.pruned += is_gone
        if item.kind == Kind.START and not is_gone:
            _verify_start(item, found, types[item.entry], verdict)
        elif item.kind == Kind.NOTE:
            notes.setdefault(item.entity, []).append(item)
        if (
            item.state == "known"
            and is_named[item.kind]
            and str(item.number) not in found.names
            and not prunes
        ):
            verdict.lost.append(
                f"input {item.number} ({Kind(item.kind).name.lower()}): its name is not recorded"
            )
    for entity, sent in notes.items():
        _verify_witness(entity, sent, found.witnesses.get(entity), verdict)
    started = {item.entity for item in entries if item.kind == Kind.START}
    for entity in sorted(found.roots.keys() - started):
        verdict.foreign.append(
            f"workflow {found.roots[entity][0].workflow_id}: entity {entity} was never started"
        )
    sent_names = {str(item.number) for item in entries}
    verdict.foreign += [
        f"input {name!r}: recorded and never sent" for name in sorted(found.names - sent_names)
    ]
    return verdict


def _is_gone(item: Entry, found: Findings) -> bool:
    """Say whether nothing is left of an input in a world that prunes; of a note, the witness tells."""
    if item.kind == Kind.START:
        return item.entity not in found.roots
    return item.kind != Kind.NOTE and str(item.number) not in found.names


def _verify_start(item: Entry, found: Findings, type_name: str, verdict: Verdict) -> None:
    roots = found.roots.get(item.entity, [])
    what = f"start {item.number} ({type_name}, entity {item.entity})"
    if len(roots) > 1:
        verdict.doubled.append(f"{what}: workflows {', '.join(str(root.workflow_id) for root in roots)}")
    if item.other_id:
        verdict.doubled.append(f"{what}: acknowledged as workflow {item.workflow_id} and as {item.other_id}")
    if item.state == "known" and item.workflow_id not in [root.workflow_id for root in roots]:
        verdict.lost.append(f"{what}: there is no workflow {item.workflow_id}")
    verdict.foreign += [
        f"{what}: workflow {root.workflow_id} is a {root.type}" for root in roots if root.type != type_name
    ]
    if item.state == "refused" and roots:
        verdict.foreign.append(f"{what}: refused, and there is workflow {roots[0].workflow_id}")


def _verify_witness(entity: int, sent: list[Entry], kept: Testimony | None, verdict: Verdict) -> None:
    must = {item.sequence for item in sent if item.state == "known"}
    may = {item.sequence for item in sent if item.state == "sent"}
    if kept is None:
        verdict.lost += [f"witness of entity {entity}: gone, with all of {len(must)} inputs"] if must else []
        return
    there = {number for first, last in kept.ranges for number in range(first, last + 1)}
    who = f"witness of entity {entity}"
    verdict.witnessed += len(must & there)
    verdict.lost += [f"{who}: number {number} never came" for number in sorted(must - there)]
    verdict.foreign += [f"{who}: number {number} was never sent" for number in sorted(there - must - may)]
    verdict.doubled += [f"{who}: number {number} came again" for number in kept.doubled]
    verdict.foreign += [
        f"{who}: number {number}, which was for witness {other}" for other, number in kept.foreign
    ]
    strangers = len(kept.doubled) + len(kept.foreign)
    if not strangers and kept.count != len(there):
        verdict.doubled.append(f"{who}: took {kept.count} signals, of {len(there)} numbers")
    if not strangers and kept.checksum != checksum_of(sorted(there)):
        verdict.disordered.append(f"{who}: its numbers did not come in the order in which they were sent")


def checksum_of(numbers: Iterable[int]) -> int:
    """Return what a witness makes of these numbers in this order."""
    checksum = 0
    for number in numbers:
        checksum = (checksum * 31 + number + 1) % 2**61
    return checksum

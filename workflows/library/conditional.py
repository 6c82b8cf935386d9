"""`conditional`: a talk that branches, where what is known decides what can be said.

               +-- Choose of a choice that leads on: its facts are gained --+
               v                                                            |
    start --> waiting for an answer at a node ------------------------------+
               |
               +-- Choose of another node, or barred: lost, the time runs on
               +-- no choice is open, or Choose without a "to" --> ended (ended)
               +-- Leave ----------------------------------------> ended (left)
               +-- time is up -----------------------------------> ended (timed_out)
               +-- the path is full -----------------------------> ended (cut)

The tree is a table of nodes by name. A node is something to say and the choices of answer; a choice has something to
say, and may have where it leads (`to`; without it the talk ends), the facts that it needs, those that bar it, and
those that it gives. Choices may lead back: a talk is a graph, its path is bounded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NotRequired, TypedDict

from ..context import Context
from ..definition import workflow
from ..signal import Signal
from ..sources import Elapsed
from .arguments import (
    DAY_S,
    require_keys,
    require_names,
    require_number,
    require_one_of,
    require_text,
    require_whole,
)

MAX_NODES = 128
MAX_CHOICES = 16
MAX_FACTS = 64
"""Different facts that a talk may know: those that it starts with and those that its choices give."""
MAX_PATH = 100
LONGEST_NAME = 64
LONGEST_LINE = 500


class Choice(TypedDict):
    """An answer that a node offers."""

    say: str
    to: NotRequired[str]
    needs: NotRequired[list[str]]
    bars: NotRequired[list[str]]
    gives: NotRequired[list[str]]


class Node(TypedDict):
    """Something said, and the answers to it; without any the talk ends there."""

    say: str
    choices: NotRequired[list[Choice]]


class Choose(Signal):
    """Answer: the choice with this number, from 0, at this node.

    The node is named so that an answer clicked twice, or too late, is not taken for one to the next question.
    """

    at: str
    option: int

    def __post_init__(self) -> None:
        """Check the fields."""
        require_text("at of Choose", self.at, LONGEST_NAME)
        require_whole("option of Choose", self.option, 0, MAX_CHOICES - 1)


class Leave(Signal):
    """Walk away."""


class TalkEnd(TypedDict):
    """How a talk ended ("ended", "left", "timed_out" or "cut"), the nodes it went through, and the facts gained."""

    outcome: str
    path: list[str]
    gained: list[str]


@workflow
async def conditional(
    ctx: Context,
    tree: dict[str, Node],
    start: str = "start",
    *,
    facts: list[str] | None = None,
    answer_timeout: float = 300.0,
) -> TalkEnd:
    """Lead a talk from node to node by the answers chosen, until there is nothing more to say.

    Args:
        ctx: the world.
        tree: 1 to 128 nodes by name, each reachable from the start.
        start: the name of the first node.
        facts: what is known before, at most 64 short texts.
        answer_timeout: seconds for each answer, up to a day; an answer that is lost gives no more time.
    """
    known = require_names("facts of conditional", [] if facts is None else facts, MAX_FACTS, LONGEST_NAME)
    check_tree(tree, start, known)
    require_number("answer_timeout of conditional", answer_timeout, 0.001, DAY_S)
    path = [start]
    gained: list[str] = []
    outcome = "ended"
    while True:
        node = path[-1]
        options = open_options(tree[node], {*known, *gained})
        if not options:
            break
        deadline = ctx.timer(answer_timeout, name="answer")
        chosen = -1
        while chosen < 0 and outcome == "ended":
            ctx.step(f"at {node}")
            match await ctx.select(deadline, Choose, Leave):
                case Choose(at, option):
                    if at == node and option in options:
                        chosen = option
                case Leave():
                    outcome = "left"
                case Elapsed():
                    outcome = "timed_out"
        if chosen < 0:
            break
        choice = tree[node].get("choices", [])[chosen]
        gained += [
            fact
            for fact in dict.fromkeys(choice.get("gives", []))
            if fact not in known and fact not in gained
        ]
        target = choice.get("to")
        if target is None:
            break
        if len(path) == MAX_PATH:
            outcome = "cut"
            break
        path.append(target)
    return {"outcome": outcome, "path": path, "gained": gained}


def open_options(node: Node, known: Collection[str]) -> list[int]:
    """Return the numbers of the choices that what is known leaves open."""
    return [
        number
        for number, choice in enumerate(node.get("choices", []))
        if all(fact in known for fact in choice.get("needs", []))
        and not any(fact in known for fact in choice.get("bars", []))
    ]


def check_tree(tree: object, start: str, known: list[str]) -> None:
    """Raise `ValueError` unless `tree` is a talk: well formed, its choices lead to nodes, and each node is reached."""
    if not isinstance(tree, dict) or not 1 <= len(tree) <= MAX_NODES:
        raise ValueError(f"tree of conditional is a table of 1 to {MAX_NODES} nodes, not {tree!r}")
    for name in tree:
        require_text("each name in tree of conditional", name, LONGEST_NAME)
    require_one_of("start of conditional", start, list(tree))
    given = set(known)
    for name, node in tree.items():
        given |= check_node(name, node, tree)
    if len(given) > MAX_FACTS:
        raise ValueError(
            f"conditional knows at most {MAX_FACTS} facts, not {len(given)}: give it fewer, or split the talk"
        )
    reached = reached_from(start, tree)
    lost = [name for name in tree if name not in reached]
    if lost:
        raise ValueError(
            f"no choice of conditional leads to {', '.join(lost)}: add a choice with that `to`, or drop it"
        )


def check_node(name: str, node: object, tree: Collection[str]) -> set[str]:
    """Check a node with its choices; return the facts that they give.

    Raises:
        ValueError: something in it is not as it must be.
    """
    where = f"node {name!r} of conditional"
    said = require_keys(where, node, ("say",), ("choices",))
    require_text(f"say of {where}", said["say"], LONGEST_LINE)
    choices = said.get("choices", [])
    if not isinstance(choices, list | tuple) or len(choices) > MAX_CHOICES:
        raise ValueError(f"choices of {where} is a list of at most {MAX_CHOICES}, not {choices!r}")
    given: set[str] = set()
    for number, choice in enumerate(choices):
        which = f"choice {number} of {where}"
        answer = require_keys(which, choice, ("say",), ("to", "needs", "bars", "gives"))
        require_text(f"say of {which}", answer["say"], LONGEST_LINE)
        if "to" in answer:
            require_one_of(f"to of {which}", answer["to"], list(tree))
        for key in ("needs", "bars", "gives"):
            require_names(f"{key} of {which}", answer.get(key, []), MAX_FACTS, LONGEST_NAME)
        given.update(answer.get("gives", []))
    return given


def reached_from(start: str, tree: Mapping[str, Node]) -> set[str]:
    """Return the names of the nodes to which choices lead from `start`, whatever is known."""
    reached, waiting = {start}, [start]
    while waiting:
        for choice in tree[waiting.pop()].get("choices", []):
            target = choice.get("to", start)
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached

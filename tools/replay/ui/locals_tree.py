"""The locals of a workflow as a tree that keeps what is open while one goes from turn to turn."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from ..differences import ABSENT
from ..value_tree import MOST_CHILDREN, Change, Node, ValueTree, has_parts, short_text
from .look import CHANGE, DIM


class LocalsTree(Tree[Node], inherit_bindings=False):
    """Shows the variables of each function, those first that the last step changed being marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "Up", show=False),
        Binding("down,j", "cursor_down", "Down", show=False),
        Binding("enter", "select_cursor", "Open or close", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]

    def __init__(self) -> None:
        super().__init__("", id="locals")
        self.show_root = False
        self.show_guides = False
        self.guide_depth = 2
        self.auto_expand = True
        self._values: ValueTree | None = None
        self._now_us = 0
        self._open: set[str] = set()

    def show(self, values: ValueTree | None, now_us: int) -> None:
        """Show these values, and open what was open before."""
        line, scrolled = self.cursor_line, self.scroll_offset.y
        self._values, self._now_us = values, now_us
        self.clear()
        if values is None:
            return
        functions = values.functions()
        for name, nodes in functions:
            branch = self.root
            if len(functions) > 1:
                title = Text(name, Style(color=DIM, bold=True))
                branch = self.root.add(title, expand=True, allow_expand=False)
            self._add(branch, nodes)
            if not nodes:
                branch.add_leaf(Text("  no locals", Style(color=DIM)))
        self.cursor_line = line
        self.scroll_to(y=scrolled, animate=False)

    def _add(self, branch: TreeNode[Node], nodes: list[Node]) -> None:
        for node in nodes:
            if not has_parts(node.value):
                branch.add_leaf(self._label(node), node)
                continue
            opened = node.path in self._open
            inner = branch.add(self._label(node), node, expand=opened)
            if opened:
                self._fill(inner, node)
        if len(nodes) == MOST_CHILDREN:
            branch.add_leaf(Text("  ... and perhaps more", Style(color=DIM)))

    def _fill(self, branch: TreeNode[Node], node: Node) -> None:
        assert self._values is not None, "there is a node"
        self._add(branch, self._values.children(node))

    def _label(self, node: Node) -> Text:
        mark, style = CHANGE[node.change]
        label = Text(no_wrap=True)
        label.append(f"{mark} ", style + Style(bold=True, strike=False))
        label.append(node.name, Style(color=DIM) if node.change in (Change.NONE, Change.INSIDE) else style)
        label.append("  ")
        label.append(short_text(node.value, self._now_us), style)
        if node.change is Change.CHANGED and node.old is not ABSENT:
            label.append(f"  was {short_text(node.old, self._now_us)}", Style(color=DIM))
        return label

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Node]) -> None:
        """Remember what is open, and look into it now."""
        event.stop()
        node = event.node.data
        if node is not None and not event.node.children:
            self._open.add(node.path)
            self._fill(event.node, node)

    def on_tree_node_collapsed(self, event: Tree.NodeCollapsed[Node]) -> None:
        """Forget what was open."""
        event.stop()
        if event.node.data is not None:
            self._open.discard(event.node.data.path)
            event.node.remove_children()



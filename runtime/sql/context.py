"""`SqlContext`: what the tables of a query read from, and by what."""

from __future__ import annotations

from functools import cached_property

from ...workflows.codec import Codec
from ...workflows.errors import DecodeError, WorldCorruptError
from ...workflows.registry import Registry
from ...workflows.rows import RowError
from ...workflows.unloaded import tolerant_codec
from ...workflows.versions import CodeBook
from ..storage.read_view import ReadView
from ..view import WorkflowView, view_row
from ..world_state import load_codes


class SqlContext:
    """A world as of one commit, and how its values are read.

    Attributes:
        view: its tables.
        registry: the code that is loaded; None where a world is looked at without any.
        codec: reads values; stand-ins take the places of those whose classes are not loaded.
    """

    def __init__(self, view: ReadView, registry: Registry | None) -> None:
        self.view = view
        self.registry = registry
        self.codec: Codec = tolerant_codec()

    @cached_property
    def codes(self) -> CodeBook:
        """The world's descriptions of code."""
        types = {} if self.registry is None else self.registry.workflows
        return CodeBook(types, load_codes(self.view))

    def workflow(self, workflow_id: int, row: bytes) -> WorkflowView:
        """Return all that a row says.

        Raises:
            WorldCorruptError: it does not decode.
        """
        types = {} if self.registry is None else self.registry.workflows
        try:
            return view_row(workflow_id, row, self.codec, self.codes, types)
        except (RowError, DecodeError, LookupError) as error:
            raise self.damaged(workflow_id, error) from error

    def damaged(self, workflow_id: int, error: Exception) -> WorldCorruptError:
        """Return the error for a row that does not decode; the caller raises it."""
        return WorldCorruptError(
            str(self.view.path), f"the row of workflow {workflow_id} is damaged: {error}"
        )

"""A glance at a row says what its head says, and nothing but a row passes for one."""

import msgpack
import pytest

from deathless.workflows.messages import STATUS_CODE, Status
from deathless.workflows.rows import FIELDS, RowError, glance, read_head

TIMES = [
    None, 0, 1, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63 - 1,
    -1, -32, -33, -128, -129, -32_768, -32_769, -(2**31), -(2**31) - 1, -(2**63),
]  # fmt: skip


def row_of(due, status=1, topics=None):
    head = [due, status, topics, "buff", 42, None, None, 5, 6]
    return msgpack.packb([*head, *[None] * (FIELDS - len(head))])


@pytest.mark.parametrize("due", TIMES)
@pytest.mark.parametrize("status", [status for status in Status if status is not Status.RUNNING])
@pytest.mark.parametrize("topics", [None, [["Noise"]]])
def test_a_glance_says_what_the_head_says(due, status, topics):
    row = row_of(due, STATUS_CODE[status], topics)
    head = read_head(row)
    assert (
        glance(row)
        == (head.due_us, head.status, head.topics is not None)
        == (due, STATUS_CODE[status], bool(topics))
    )


@pytest.mark.parametrize(
    "damaged",
    [b"", b"\x01", row_of(2**40)[:13], row_of(1.5), row_of("soon"), row_of([1]), row_of(True), row_of(1, 9),
     msgpack.packb([None] * (FIELDS - 1)), msgpack.packb([None] * (FIELDS + 1))],
)  # fmt: skip
def test_other_bytes_are_no_row(damaged):
    with pytest.raises(RowError, match="not a row"):
        glance(damaged)

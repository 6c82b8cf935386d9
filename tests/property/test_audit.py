"""Reading an audit log against a list: any turns, any part of the old end gone, any start, either direction."""

from hypothesis import given, settings
from hypothesis import strategies as st

from deathless.runtime.audit.events import PLACES, pack_events, unpack_events
from deathless.runtime.audit.reader import AuditReader
from deathless.runtime.audit.tables import EVENT_TABLE
from deathless.runtime.storage.pieces import cut
from deathless.runtime.storage.store import Store

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
ids = st.none() | st.integers(0, 2**64 - 1)
noted = st.tuples(
    st.sampled_from(["started", "signalled", "of a later version"]),
    *(ids, texts, ids, texts, st.none() | st.integers(1, 4), st.none() | texts),
)
turns = st.dictionaries(
    st.integers(1, 2**40 - 1),
    st.lists(noted, min_size=1, max_size=6)
    | st.lists(noted, min_size=1, max_size=2).map(lambda some: some * 90),
    min_size=1,
    max_size=40,
)


@given(events=st.lists(noted), now_us=st.integers(-(2**63), 2**63 - 1), turn=st.integers(0, 2**39))
def test_events_come_back_as_they_were_noted(events, now_us, turn):
    found = list(unpack_events(turn, pack_events(now_us, events)))
    assert [event.id for event in found] == list(range(turn * PLACES, turn * PLACES + len(events)))
    assert all(event.time == now_us / 1e6 for event in found)
    for event, (name, workflow_id, type_name, entity_id, detail, status, step) in zip(
        found, events, strict=True
    ):
        assert (event.event, event.workflow_id, event.type, event.entity_id) == (
            *(name, workflow_id, type_name, entity_id),
        )
        assert (event.detail, event.current_step, event.status is None) == (detail, step, status is None)


@settings(deadline=None, max_examples=60)
@given(turns=turns, data=st.data())
def test_what_is_read_is_what_is_whole(turns, data, tmp_path_factory):
    pieces = [
        (number, piece)
        for number in sorted(turns)
        for piece in cut(number, pack_events(number, turns[number]))
    ]
    gone = data.draw(st.integers(0, len(pieces)))
    first = {number for number, (key, _) in pieces[gone:] if not any(key[8:])}
    expected = [number * PLACES + place for number in sorted(first) for place in range(len(turns[number]))]
    start = data.draw(
        st.none() | st.integers(0, 2**65) | (st.sampled_from(expected) if expected else st.nothing())
    )
    with Store.open(tmp_path_factory.mktemp("audit") / "world", durability="process") as store:
        store.commit({EVENT_TABLE: dict(piece for _, piece in pieces)})
        store.commit({EVENT_TABLE: dict.fromkeys(key for _, (key, _) in pieces[:gone])})
        with store.read_view() as view:
            for source in (store, view):
                reader = AuditReader(source)
                onwards = [number for number in expected if start is None or number >= start]
                back = [number for number in reversed(expected) if start is None or number <= start]
                assert [event.id for event in reader.events(start)] == onwards
                assert [event.id for event in reader.events(start, backwards=True)] == back

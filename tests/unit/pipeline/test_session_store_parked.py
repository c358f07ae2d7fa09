"""A partition's memory: what waits long, and what waits to be registered."""

import dataclasses
import tracemalloc
import uuid

from tests.support import inputs, pipeline
from worker import codec, ledger, model
from worker.pipeline import session_store

KEY = inputs.KEY


def _ended() -> ledger.Session:
    return inputs.decided(inputs.approved()).state


def _flying() -> ledger.Session:
    history = inputs.History()
    history.callback()
    history.start()
    return history.state


def _waiting() -> ledger.Session:
    history = inputs.History()
    history.register()
    return history.state


def test_what_waits_long_is_kept_as_bytes() -> None:
    """It is open, and due at its time, and takes no place among those at work."""
    sessions, session = session_store.SessionStore(), _waiting()
    sessions.put(KEY, session)
    assert (sessions.open, sessions.working, len(sessions)) == (1, 0, 1)
    assert sessions.get(KEY) == session
    assert sessions.open_keys() == [KEY]
    assert sessions.ended_keys() == []
    assert sessions.open_by_source() == {KEY.source: [session.first_seen_at]}
    due = session.due_at or 0
    assert sessions.due(due - 1) == []
    assert sessions.due(due) == [KEY]
    sessions.reschedule(KEY)
    assert sessions.next_due() == due


def test_what_waited_goes_to_work_and_back() -> None:
    """A session is held once, wherever it stands, and comes up at its latest time."""
    sessions, waiting = session_store.SessionStore(), _waiting()
    for session in (waiting, _flying(), waiting, _ended(), waiting):
        sessions.put(KEY, session)
        assert len(sessions) == 1
        assert sessions.open == int(session.open)
        assert sessions.working == int(session.flight is not None)
        assert sessions.get(KEY) == session
    assert sessions.due((waiting.due_at or 0) - 1) == []
    sessions.put(KEY, None)
    assert (len(sessions), sessions.open) == (0, 0)
    assert sessions.due(2**45) == []


def test_what_is_put_again_comes_up_once() -> None:
    """A change that leaves the due time as it is does not bring it up twice."""
    sessions, session = session_store.SessionStore(), _waiting()
    due = session.due_at or 0
    for reference in ("order-1", "order-2"):
        sessions.put(KEY, session._replace(reference=reference))
    assert sessions.due(due) == [KEY]


def test_what_waits_long_is_found_as_it_was() -> None:
    """After a restore its record is kept, and it is due at its time."""
    sessions, stored = (
        session_store.SessionStore(2),
        codec.encode_session(_waiting(), 1),
    )
    sessions.load(str(KEY), stored)
    assert sessions.finish_restore(inputs.START) == []
    assert (sessions.open, sessions.working) == (1, 0)
    assert sessions.encoded(KEY) is stored
    assert sessions.due(_waiting().due_at or 0) == [KEY]


def test_who_is_held_is_counted_from_the_longest() -> None:
    """The first one that waits to be registered is the first to make room."""
    rules = dataclasses.replace(inputs.FETCHED, registered_sessions_only=True)
    history = inputs.History(rules)
    history.callback()
    sessions = session_store.SessionStore()
    for number in (1, 2, 1):
        sessions.put(pipeline.key(number), history.state)
    assert list(sessions.held.oldest(KEY.source)) == [pipeline.key(1), pipeline.key(2)]
    history.register()
    sessions.put(pipeline.key(1), history.state)
    assert list(sessions.held.oldest(KEY.source)) == [pipeline.key(2)]
    sessions.put(pipeline.key(2), None)
    assert len(sessions.held) == 0


def test_a_waiting_session_takes_less_than_a_kilobyte() -> None:
    """Many wait for weeks: bytes, key, heap and table together stay small."""
    many, sessions, session = 5_000, session_store.SessionStore(2), _waiting()
    tracemalloc.start()
    for number in range(many):
        key = model.SessionKey("biometric", str(uuid.UUID(int=number << 64)))
        spelt = session._replace(provider_session_id=key.session_id)
        sessions.put(key, spelt)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sessions.open == many
    assert taken / many < 1_000

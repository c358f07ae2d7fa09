"""A partition's memory: what is open, what has ended, what is due."""

import dataclasses
import tracemalloc
import uuid

import pytest

from tests.support import inputs, pipeline
from worker import codec, errors, ledger, model
from worker.pipeline import session_store

KEY = inputs.KEY


def _pending() -> ledger.Session:
    return inputs.decided(inputs.pending()).state


def _ended() -> ledger.Session:
    return inputs.decided(inputs.approved()).state


def _flying() -> ledger.Session:
    history = inputs.History()
    history.callback()
    history.start()
    return history.state


def _loaded(session: ledger.Session) -> session_store.SessionStore:
    sessions = session_store.SessionStore()
    sessions.load(str(KEY), codec.encode_session(session))
    return sessions


@pytest.mark.parametrize("make", [_pending, _ended, _flying])
def test_what_is_put_is_got(make: object) -> None:
    """A session comes back as it was put, open or ended."""
    assert callable(make)
    session, sessions = make(), session_store.SessionStore()
    sessions.put(KEY, session)
    assert sessions.get(KEY) == session
    assert sessions.open == int(session.open)
    assert len(sessions) == 1


def test_a_session_moves_between_open_and_ended() -> None:
    """A session is held once, wherever it stands."""
    sessions = session_store.SessionStore()
    for session in (_pending(), _ended(), _pending()):
        sessions.put(KEY, session)
        assert len(sessions) == 1
        assert sessions.get(KEY) == session
    sessions.put(KEY, None)
    assert (len(sessions), sessions.get(KEY)) == (0, None)


def test_the_latest_record_wins() -> None:
    """Of several records of a session the last one counts; a tombstone removes it."""
    sessions = session_store.SessionStore()
    sessions.load(str(KEY), codec.encode_session(_pending()))
    sessions.load(str(KEY), codec.encode_session(_ended()))
    sessions.finish_restore(inputs.START)
    assert sessions.get(KEY) == _ended()
    sessions.load(str(KEY), None)
    assert sessions.get(KEY) is None


def test_what_was_in_flight_is_due_again() -> None:
    """After a restore a flight is wanted at once, and is told of."""
    sessions = _loaded(_flying())
    assert sessions.finish_restore(inputs.START) == [KEY]
    assert sessions.due(inputs.START) == [KEY]


def test_what_was_due_is_told_of() -> None:
    """After a restore a session whose fetch was due is told of, others are not."""
    session = _pending()
    assert session.due_at is not None
    assert _loaded(session).finish_restore(session.due_at - 1) == []
    assert _loaded(session).finish_restore(session.due_at) == [KEY]
    assert _loaded(_ended()).finish_restore(session.due_at) == []


def test_a_record_of_a_newer_release_is_refused() -> None:
    """What a newer release wrote is not worked on."""
    sessions = session_store.SessionStore()
    sessions.load(str(KEY), b'{"v":99}')
    with pytest.raises(errors.UnknownVersion):
        sessions.finish_restore(inputs.START)


def test_what_is_due_comes_up_once() -> None:
    """A due session is brought up once, and again only when reminded of."""
    sessions, session = session_store.SessionStore(), _pending()
    sessions.put(KEY, session)
    due = session.due_at or 0
    assert sessions.next_due() == due
    assert sessions.due(due - 1) == []
    assert sessions.due(due) == [KEY]
    assert sessions.due(due) == []
    sessions.reschedule(KEY)
    assert sessions.due(due) == [KEY]


def test_a_new_due_time_replaces_the_old_one() -> None:
    """Only the time that stands brings a session up."""
    sessions, session = session_store.SessionStore(), _pending()
    sessions.put(KEY, session)
    later = (session.due_at or 0) + 1_000
    sessions.put(KEY, session._replace(due_at=later))
    assert sessions.due(later - 1) == []
    assert sessions.due(later) == [KEY]


def test_what_is_due_at_once_is_due_by_any_clock() -> None:
    """A wake-up in a session's own present does not wait for a clock put back."""
    history = inputs.decided(inputs.pending())
    history.callback()
    sessions = session_store.SessionStore()
    sessions.put(KEY, history.state)
    assert sessions.due(history.now - inputs.HOUR) == [KEY]


def test_sessions_come_up_in_the_order_of_their_times() -> None:
    """What is due first comes first."""
    sessions, session = session_store.SessionStore(), _pending()
    due = session.due_at or 0
    for number in (3, 1, 2):
        later = session._replace(due_at=due + number)
        sessions.put(pipeline.key(number), later)
    assert sessions.due(due + 9) == [pipeline.key(n) for n in (1, 2, 3)]


def test_an_ended_session_does_not_come_up() -> None:
    """What ended before its time is not brought up any more."""
    sessions = session_store.SessionStore()
    sessions.put(KEY, _pending())
    sessions.put(KEY, _ended())
    assert sessions.due(inputs.START + inputs.DAY) == []


def test_open_sessions_are_known_by_source() -> None:
    """How many there are, and when the oldest without a final was first seen."""
    sessions = session_store.SessionStore()
    assert sessions.open_by_source() == {}
    for number in (5, 4):
        session = _pending()._replace(first_seen_at=number)
        sessions.put(pipeline.key(number), session)
    ended = _ended()._replace(first_seen_at=1, due_at=9)
    sessions.put(pipeline.key(1), ended)
    sessions.put(model.SessionKey("finals", "one"), ended)

    assert sessions.open_by_source() == {
        pipeline.key(1).source: [5, 4, None],
        "finals": [None],
    }


def test_keys_are_listed_by_what_they_are() -> None:
    """Open and ended sessions are listed apart."""
    sessions = session_store.SessionStore()
    sessions.put(pipeline.key(1), _pending())
    sessions.put(pipeline.key(2), _ended())
    assert sessions.open_keys() == [pipeline.key(1)]
    assert sessions.ended_keys() == [pipeline.key(2)]


def test_a_session_id_may_hold_a_colon() -> None:
    """The key of a record names its source first; the rest is the session's."""
    odd = model.SessionKey("identomat", "a:b:c")
    sessions = session_store.SessionStore()
    sessions.put(odd, _ended())
    assert sessions.ended_keys() == [odd]


@pytest.mark.parametrize("version", [1, 2])
def test_an_ended_session_is_encoded_once(version: int) -> None:
    """What is held in memory is what is written, in the version that is configured."""
    sessions = session_store.SessionStore(version)
    sessions.put(KEY, _ended())

    value = sessions.encoded(KEY)

    assert value == codec.encode_session(_ended(), version)
    assert value is sessions.encoded(KEY)


@pytest.mark.parametrize("version", [1, 2])
def test_an_open_session_is_encoded_as_it_is_now(version: int) -> None:
    """What is written of an open session is its latest state; nothing, if none is."""
    sessions = session_store.SessionStore(version)
    assert sessions.encoded(KEY) is None
    sessions.put(KEY, _ended())
    sessions.put(KEY, _pending())

    assert sessions.encoded(KEY) == codec.encode_session(_pending(), version)
    sessions.put(KEY, None)
    assert sessions.encoded(KEY) is None


def test_what_is_found_in_another_version_is_kept() -> None:
    """A session is written anew only when it changes."""
    sessions = session_store.SessionStore(2)
    found = codec.encode_session(_ended(), 1)
    sessions.load(str(KEY), found)
    sessions.finish_restore(inputs.START)

    assert sessions.encoded(KEY) is found
    assert sessions.get(KEY) == _ended()


def test_a_million_ended_sessions_fit_into_350_megabytes() -> None:
    """What they take, keys and table included, is counted as Python allocates it."""
    many, sessions, session = 5_000, session_store.SessionStore(2), _ended()
    tracemalloc.start()
    for number in range(many):
        key = model.SessionKey("biometric", str(uuid.UUID(int=number << 64)))
        spelt = session._replace(provider_session_id=key.session_id)
        sessions.put(key, spelt)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(sessions) == many
    assert taken / many < 350


def test_what_ends_long_before_it_is_due_leaves_the_heap() -> None:
    """A flood of sessions that wait and are ended takes no memory until their time."""
    sessions = session_store.SessionStore()
    rules = dataclasses.replace(inputs.FETCHED, registered_sessions_only=True)
    for number in range(20_000):
        history = inputs.History(rules)
        history.callback()
        sessions.put(pipeline.key(number), history.state)
        sessions.put(pipeline.key(number - 10), None)
    assert len(sessions) == 10
    assert len(sessions._heap) < 2_000
    due = sessions.due(2**45)
    assert due == [pipeline.key(number) for number in range(19_990, 20_000)]

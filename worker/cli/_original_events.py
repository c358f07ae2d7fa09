"""Find the events of dead letters in ``kyc.events``, as they were accepted."""

import contextlib
from collections.abc import Mapping, Sequence

from worker import codec, errors, model, settings
from worker.app import sources
from worker.kafka import reader

#: The clocks of the event's producer and of the broker may differ by this much.
_SKEW_MS = 86_400_000


def wanted(letter: model.DeadLetter, bound: sources.ConfiguredSource) -> bool:
    """
    Return whether running *letter* again takes its event, and not only a fetch.

    It does where the event was never taken: a fetch alone would lose what it holds, a
    registration or a claim, and a source without results to fetch has nothing else.
    """
    if letter.event_id is None or letter.session_id is None or letter.redrive is None:
        return False
    untaken = letter.reason is model.DeadLetterReason.UNMAPPABLE
    return untaken or not bound.settings.fetches


async def find(
    config: settings.Settings, letters: Sequence[model.DeadLetter]
) -> Mapping[str, model.Event]:
    """Return the events of *letters* that ``kyc.events`` still holds, by their id."""
    missing = {letter.event_id: letter for letter in letters}
    found: dict[str, model.Event] = {}
    if not letters:
        return found
    since = min(letter.first_seen_at for letter in letters) - _SKEW_MS
    records = reader.follow(
        config.kafka,
        [config.kafka.topic("events")],
        reader.ReadRange.UNTIL_END,
        since_ms=max(since, 0),
    )
    async with contextlib.aclosing(records):
        async for each in records:
            event = _event(each.record)
            letter = None if event is None else missing.get(event.event_id)
            if event is None or letter is None:
                continue
            if event.key == (letter.source, letter.session_id):
                found.setdefault(event.event_id, event)
    return found


def _event(record: codec.Record) -> model.Event | None:
    try:
        return codec.read_event(record.key, record.value, record.headers)
    except (codec.MalformedRecord, errors.UnknownVersion):
        return None  # the worker's affair


def again(
    event: model.Event, bound: sources.ConfiguredSource, event_id: str
) -> model.Event | None:
    """
    Return *event* to be published once more as *event_id*; None where it is no use.

    That is where the worker would refuse it again: it is not of the source as it is
    configured now.
    """
    ours = (event.provider, event.environment) == (
        bound.entry.name,
        bound.settings.environment,
    )
    spelt = bound.provider.canonical(event.provider_session_id)
    if not ours or spelt != event.session_id:
        return None
    # A signed verdict acts once by its digest, which stays; a wake-up by this.
    acts_once = event.provider_event_id
    if acts_once is None and bound.settings.fetches:
        acts_once = event_id
    return event._replace(event_id=event_id, provider_event_id=acts_once)

"""Say which promise what was read breaks, with the history of the session."""

import collections
import dataclasses
import itertools
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos import reading

Key = reading.Key


@dataclasses.dataclass(slots=True, kw_only=True)
class Expected:
    """What the driver knows of one session."""

    #: what it must end in; None where the provider knows of no such session
    outcome: str | None
    #: its status word is in no table
    unknown_word: bool = False
    #: nothing about it was authentic: it must not be known
    forged: bool = False
    #: when its first callback was sent
    begun_ms: int = 0
    #: the ids of the events that were acknowledged
    acknowledged: list[str] = dataclasses.field(default_factory=list)
    #: answers that no provider may get, such as a 4xx to an authentic callback
    wrong_answers: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A broken promise, by its number, with what the topics hold of the session."""

    promise: int
    sentence: str
    session: str
    history: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"promise {self.promise}: {self.session}: {self.sentence}"]
        return "\n      ".join([*lines, *self.history])


_Broken = Iterator[tuple[int, str]]


def violations(
    found: reading.Read, expected: Mapping[Key, Expected]
) -> list[Violation]:
    """Return every broken promise; what is still on its way counts as one."""
    broken = []
    for key, session in expected.items():
        for promise, sentence in _of_session(key, session, found):
            broken.append(_violation(promise, sentence, key, session, found))
    for key in {*found.decisions, *found.latest} - set(expected):
        sentence = "a decision about a session without a callback"
        broken.append(_violation(4, sentence, key, None, found))
    return broken


def _violation(
    promise: int, sentence: str, key: Key, session: Expected | None, found: reading.Read
) -> Violation:
    return Violation(
        promise=promise,
        sentence=sentence,
        session=":".join(key),
        history=tuple(_history(key, session, found)),
    )


def _of_session(key: Key, session: Expected, found: reading.Read) -> _Broken:
    decisions = sorted(
        found.decisions.get(key, []), key=lambda seen: seen.body["revision"]
    )
    if session.forged:
        if decisions or key in found.events or key in found.ledger:
            yield 4, "everything about it was forged, and it is known"
        return
    yield from _acknowledged(key, session, found)
    yield from _somewhere(key, session, found)
    yield from _once(key, found)
    yield from _the_latest(decisions, found.latest.get(key, []))
    yield from _caused(key, decisions, found)
    yield from _known_words(session, decisions)
    yield from _in_order(session, decisions)


def _acknowledged(key: Key, session: Expected, found: reading.Read) -> _Broken:
    """Promise 1: acked means durable, and never a 4xx."""
    ids = {seen.ce_id for seen in found.events.get(key, [])}
    for event_id in session.acknowledged:
        if event_id not in ids:
            yield 1, f"event {event_id} was acknowledged and is not in the topic"
    for answer in session.wrong_answers:
        yield 1, f"its callback was answered {answer}"


def _somewhere(key: Key, session: Expected, found: reading.Read) -> _Broken:
    """Promise 2: what was acknowledged is decided, pending, or a dead letter."""
    buried = any(
        (seen.body["source"], seen.body["session_id"]) == key for seen in found.letters
    )
    if (
        session.acknowledged
        and not found.decisions.get(key)
        and key not in found.ledger
        and not buried
    ):
        yield 2, "it was heard of, and is nowhere"


def _once(key: Key, found: reading.Read) -> _Broken:
    """Promise 3: revisions 1, 2, 3 … in the outcome topics, as they are documented."""
    seen = found.decisions.get(key, [])
    revisions = [each.body["revision"] for each in seen]
    if sorted(revisions) != list(range(1, len(seen) + 1)):
        yield 3, f"revisions with a gap or a repeat: {sorted(revisions)}"
    by_topic: dict[str, list[reading.Seen]] = collections.defaultdict(list)
    for each in seen:
        by_topic[each.place.topic].append(each)
    for topic, its in by_topic.items():
        in_order = sorted(its, key=lambda each: each.place.offset)
        if [e.body["revision"] for e in in_order] != sorted(
            e.body["revision"] for e in in_order
        ):
            yield 3, f"revisions out of order in {topic}"
    for each in seen:
        if each.place.topic != f"decisions.{each.body['outcome']}":
            yield 3, f"r{each.body['revision']} stands in {each.place.topic}"
        if each.body["decision_id"] != _decision_id(key, each.body["revision"]):
            yield 3, f"r{each.body['revision']} has an id of its own"
    partitions = {
        each.place.partition
        for each in (*seen, *found.latest.get(key, []), *found.events.get(key, []))
    }
    if len(partitions) > 1:
        yield 3, f"it is in the partitions {sorted(partitions)}"


def _decision_id(key: Key, revision: int) -> str:
    name = f"kyc:{key[0]}:{key[1]}:{revision}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def _the_latest(decisions: list[reading.Seen], latest: list[reading.Seen]) -> _Broken:
    """Promise 3: the compacted topic goes up, repeats nothing, and ends as they do."""
    revisions = [each.body.get("revision", 0) for each in latest]
    if 0 in revisions:
        yield 3, "kyc.decisions has forgotten it"
    if any(later <= earlier for earlier, later in itertools.pairwise(revisions)):
        yield 3, f"kyc.decisions goes {revisions}"
    if [each.body for each in decisions[-1:]] != [each.body for each in latest[-1:]]:
        yield 3, "kyc.decisions does not end with the last decision"


def _caused(key: Key, decisions: list[reading.Seen], found: reading.Read) -> _Broken:
    """Promise 3: each decision follows from something that is in the events."""
    ids = {seen.ce_id for seen in found.events.get(key, [])}
    before = None
    for each in decisions:
        event_id = each.body["cause"]["event_id"]
        if event_id is not None and event_id not in ids:
            yield 3, f"r{each.body['revision']} comes of an event that is not there"
        if each.body["supersedes"] != before:
            yield 3, f"r{each.body['revision']} does not name what it supersedes"
        before = each.body["decision_id"]


def _known_words(session: Expected, decisions: list[reading.Seen]) -> _Broken:
    """Promise 5: approved is only what the provider approved in words that we know."""
    if any(each.body["outcome"] == "approved" for each in decisions):
        if session.unknown_word:
            yield 5, "an unknown word was approved"
        elif session.outcome != "approved":
            yield 5, "it was approved, and never by its provider"


def _in_order(session: Expected, decisions: list[reading.Seen]) -> _Broken:
    """Promise 6: one final, the provider's, and nothing preliminary after it."""
    finals = [each.body for each in decisions if each.body["final"]]
    for earlier, later in itertools.pairwise(each.body for each in decisions):
        if earlier["final"] and not later["final"]:
            yield 6, f"r{later['revision']} undoes a final by a preliminary"
    if len(finals) > 1:
        yield 6, f"{len(finals)} finals, and its provider had one"
    for each in decisions:
        if each.body["final"] != (each.body["outcome"] != "pending"):
            yield 6, f"r{each.body['revision']} is final and pending, or neither"
    if session.acknowledged and session.outcome is not None:
        ends = decisions[-1].body["outcome"] if decisions else "undecided"
        if ends != session.outcome:
            yield 6, f"it is {ends} and must end {session.outcome}"


def _history(key: Key, session: Expected | None, found: reading.Read) -> Iterator[str]:
    """Yield a line for everything that is known of a session, in order of time."""
    if session is not None:
        yield f"expected {session.outcome}, acknowledged {session.acknowledged}"
    lines = [
        (seen.place.at_ms, f"{seen.place} {result}")
        for seen, result in (
            *((seen, f"event {seen.ce_id}") for seen in found.events.get(key, [])),
            *((seen, _summary(seen.body)) for seen in found.decisions.get(key, [])),
            *((seen, _summary(seen.body)) for seen in found.latest.get(key, [])),
            *(
                (seen, f"dead letter {seen.body['reason']}")
                for seen in found.letters
                if (seen.body["source"], seen.body["session_id"]) == key
            ),
        )
    ]
    yield from (line for _, line in sorted(lines))
    yield f"in the ledger: {'yes' if key in found.ledger else 'no'}"


def _summary(body: dict[str, Any]) -> str:
    if not body:
        return "tombstone"
    cause = body["cause"]
    return (
        f"r{body['revision']} {body['outcome']}/{body['reason']}"
        f" by {cause['type']} {cause['event_id']}"
    )

"""Say what the ingress and the pipeline need of the outside, as Protocols."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from worker import model


class Provider(Protocol):
    """
    One source's adapter: the provider's words, and its API with real credentials.

    ``normalise``, ``claim`` and ``interpret`` are pure. Providers share by calling
    functions, not by inheritance.
    """

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        ...

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Make of a verified callback what it means for us.

        Raises errors.UnmappableCallback where the table has no session for it.
        """
        ...

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return what the callback itself says (from ``event.claim``), if anything."""
        ...

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """
        Fetch the result; *spelling* is ``provider_session_id``.

        What the adapter asked the provider before *fresh_since* (ms, by default now)
        is no answer, whether it holds the session or not: where nothing newer may be
        asked for yet, errors.NotAsked says so.
        Makes the quick retries in place itself. Raises errors.FetchError, nothing
        else; idempotent at the provider.
        """
        ...

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """
        Map an answer by the provider's table, contradictions first.

        Raises errors.NotReady, errors.ResultMismatch or another errors.FetchError
        where the answer is no result; any other exception counts as a crash of the
        mapping and is quarantined.
        """
        ...

    async def close(self) -> None:
        """Close connections; idempotent."""
        ...


class SessionStarter(Protocol):
    """Begins sessions of one source at its provider, with real credentials."""

    def check(self, request: model.BeginRequest) -> None:
        """
        Refuse what the provider would refuse, before anything is sent or written.

        Pure. Raises errors.BeginRefused, which names every wrong field.
        """
        ...

    def predict_session_id(self, begin_id: str) -> str | None:
        """Return the session id that *begin_id* will get, where it is ours to choose.

        Pure, and not to be guessed from outside; None where the provider chooses.
        """
        ...

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:
        """
        Begin the session; never repeated in place: a second call is a second session.

        Raises errors.BeginRefused where the provider names what is wrong with the
        request, and errors.FetchError otherwise: where that says ``answered``, or the
        connection was refused, nothing was started; otherwise it is not known.
        """
        ...

    async def close(self) -> None:
        """Close connections; idempotent."""
        ...


class SessionLookup(Protocol):
    """What is known of the sessions that were begun here."""

    async def find_session(self, source: str, begin_id: str) -> str | None:
        """
        Return the session that *begin_id* began; raises nothing.

        Waits a moment where it is not known yet; None where it stays so.
        """
        ...


class BeginLog(Protocol):
    """Every begin, written down before the provider is called, and when it ended."""

    def current(self, key: str) -> model.Intent | None:
        """Return the attempt that counts for *key*, as far as it was read."""
        ...

    def list_open(self) -> Sequence[model.Intent]:
        """Return the attempts whose end is not recorded."""
        ...

    async def record_intent(self, intent: model.Intent) -> model.Intent:
        """
        Write *intent*, read up to it, and return the attempt that counts.

        Raises errors.KafkaUnavailable; it may be written all the same.
        """
        ...

    async def record_outcome(self, intent: model.Intent) -> None:
        """Return once Kafka has acknowledged how *intent* ended; raises as above."""
        ...

    async def refresh_retention(self) -> None:
        """Keep what counts from being lost to compaction; raises as above."""
        ...

    async def delete(self, intent: model.Intent) -> None:
        """Let *intent* be forgotten; raises as above."""
        ...


class EventHistory(Protocol):
    """What ``kyc.events`` still holds."""

    async def find_begin_events(
        self, keys: Collection[str], since: int
    ) -> Mapping[str, model.Event]:
        """
        Return the event that proves which session each of *keys* began, where one does.

        A key is ``{source}:{begin_id}``. A registration proves it, and so does a
        callback that holds the begin id; a return does not. *since* is in ms. Raises
        errors.KafkaUnavailable.
        """
        ...


class EventSink(Protocol):
    """Where the ingress puts what it accepted."""

    async def publish(self, event: model.Event) -> None:
        """
        Return once Kafka has acknowledged *event* (acks=all).

        Raises errors.KafkaUnavailable when that took longer than ``ack_timeout``;
        the event may still be written. Event ids are per delivery.
        """
        ...

    async def dead_letter(self, letter: model.DeadLetter) -> None:
        """Return once Kafka has acknowledged *letter*; raises as ``publish``."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class ConsumedEvent:
    """
    A record of the event topic: its event, or the dead letter that it becomes.

    One of a later ``schema_version`` is *unread*, and becomes its dead letter only
    where it cannot wait for a release that reads it.
    """

    offset: int
    event: model.Event | None
    letter: model.DeadLetter | None = None
    unread: model.UnreadRecord | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one transaction writes, for one partition."""

    position: model.Position
    #: the whole state of each session that changed, encoded; None is a tombstone
    sessions: Sequence[tuple[model.SessionKey, bytes | None]]
    decisions: Sequence[model.Decision] = ()
    #: sessions whose latest decision is forgotten with their stub
    deleted_sessions: Sequence[model.SessionKey] = ()
    dead_letters: Sequence[model.DeadLetter] = ()


class Committer(Protocol):
    """One partition's transactional producer."""

    async def commit(self, batch: Batch) -> None:
        """
        Write *batch* in one transaction; on return all of it is committed.

        Raises errors.OwnershipLost, errors.CommitInDoubt or errors.ProducerRetired:
        then the partition's memory is worth nothing and must be thrown away.
        """
        ...

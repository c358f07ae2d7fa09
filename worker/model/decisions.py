"""Hold what goes out: verdicts, decisions, dead letters, and the position."""

import dataclasses
import enum
import shlex
from typing import Any

from worker.model import callbacks, enums

#: as the schema of dead letters has it
_COMMAND_MAX = 400


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a provider's word means; made by ``policy`` alone."""

    outcome: enums.Outcome
    reason: enums.Reason
    retryable: bool
    next_step: enums.NextStep
    flags: tuple[enums.Flag, ...] = ()  #: sorted
    provider_status: str | None = None  #: their word if listed, else ``unlisted``
    provider_reason: str | None = None
    provider_time: int | None = None

    @property
    def final(self) -> bool:
        """Approved and rejected are final, pending never is."""
        return self.outcome is not enums.Outcome.PENDING

    @property
    def comparison_key(self) -> tuple[object, ...]:
        """Return what makes a new revision when it changes."""
        return (self.outcome, self.reason, self.retryable, self.next_step, self.flags)


class ClaimKind(enum.StrEnum):
    """How much a callback's own words prove."""

    SIGNED = "signed"  #: the provider's signed word is its only result
    UNCONFIRMED = "unconfirmed"  #: holds only if the result is gone at the provider
    HINT = "hint"  #: compared with the fetched result, and no more


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """What a callback itself says, and how much that proves."""

    kind: ClaimKind
    verdict: Verdict
    alarms: tuple[enums.AlarmKind, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProviderResponse:
    """A provider's answer about one session, bounded in size, not yet mapped."""

    document: Any = dataclasses.field(repr=False)
    observed_at: int
    #: a word of the adapter's own about where it was found (IDnow's lists)
    origin: str = "result"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A mapped answer."""

    verdict: Verdict
    observed_at: int
    reference: str | None = None
    alarms: tuple[enums.AlarmKind, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What caused the fetch, as the decision reports it."""

    type: enums.CauseType
    event_id: str | None = None
    received_at: int | None = None
    traceparent: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One record of the decision topics."""

    decision_id: str
    environment: enums.Environment
    source: str
    provider: str
    session_id: str
    provider_session_id: str
    reference: str | None
    revision: int
    verdict: Verdict
    supersedes: str | None
    cause: Cause
    observed_at: int | None
    decided_at: int

    @property
    def key(self) -> callbacks.SessionKey:
        """Return the session's identity."""
        return callbacks.SessionKey(self.source, self.session_id)


def redrive_command(key: callbacks.SessionKey) -> str:
    """
    Return the command that runs the dead letters of the session *key* again.

    Safe to paste into a shell: an outsider may have chosen the session id. One that is
    too long once it is quoted is left out; the command is for the whole source then.
    """
    words = ["kyc-worker", "dlq", "redrive", "--source", key.source]
    command = shlex.join([*words, "--session", key.session_id])
    return command if len(command) <= _COMMAND_MAX else shlex.join(words)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One record of ``kyc.dlq``; holds no value of a callback or an answer."""

    dead_letter_id: str
    reason: enums.DeadLetterReason
    source: str
    session_id: str | None
    event_id: str | None
    attempts: int
    first_seen_at: int
    last_error: str | None  #: a closed word
    at: int
    count: int = 1
    known_keys: tuple[str, ...] = ()
    other_keys: int = 0
    redrive: str | None = None
    environment: enums.Environment | None = None
    #: where a record stands that is no event: topic, partition, and offset or offsets
    place: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """
    The next event a partition takes, kept in the ledger beside what it led to.

    *starts* counts the starts since the partition last caught up: from the second
    on, results are mapped one at a time with the attempt written first, so that a
    result that kills the process is found (``pipeline``). *denied* counts, by source
    and hour, the sessions that ended because their provider denies them, until the
    hour is over and its summary is written; *unknown* those that were never registered.
    """

    next_offset: int
    starts: int = 0
    #: (source, start of the hour in milliseconds, sessions)
    denied: tuple[tuple[str, int, int], ...] = ()
    unknown: tuple[tuple[str, int, int], ...] = ()

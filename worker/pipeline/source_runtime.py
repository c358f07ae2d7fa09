"""Hold what a partition is given: its sources and its limits."""

import dataclasses

from worker import policy, ports
from worker.pipeline import source_limiter


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SourceRuntime:
    """What the pipeline needs of one configured source."""

    provider: ports.Provider
    rules: policy.SourcePolicy
    gate: source_limiter.SourceLimiter


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A partition's times, in milliseconds, and bounds."""

    #: how long a commit waits for fetches that have just started
    gather_ms: int = 5
    #: how long what no caller waits for (an intent, a retry) may linger
    intent_ms: int = 200
    #: how long a position that led to nothing may wait for company
    idle_commit_ms: int = 1_000
    inbox: int = 1_000
    #: sessions in flight, or due within a minute, that are known to be real
    max_open: int = 50_000
    #: sessions of one source that wait to be registered
    max_held: int = 10_000
    #: events that wait for their source, or for a later release, and their bytes
    max_deferred: int = 1_000
    max_deferred_bytes: int = 2 << 20
    #: how long: less than ``kyc.events`` keeps them, so that a redrive finds them
    defer_ms: int = 3 * 86_400_000
    #: a session's record; what else is written of it is hardly larger
    max_session_bytes: int = 1 << 19
    #: sessions of one source that only callbacks have named
    max_unanswered: int = 10_000
    #: bytes of memory for either, about
    max_unanswered_bytes: int = 64 << 20
    #: records a transaction, about
    max_batch: int = 2_000
    drain_ms: int = 2_000
    sweep_ms: int = 3_600_000
    #: how often a full partition looks whether it still is
    look_ms: int = 1_000

"""Say of which source too many sessions wait, and whether it works them off."""

import dataclasses
from collections.abc import Mapping

from worker import clock as clocks
from worker.pipeline import session_store, source_runtime

#: A source that gets answers goes on as long as one comes in this time ...
_NEXT_ANSWER_MS = 5_000
#: ... and is through in this one; until then the partition takes no more events.
_PATIENCE_MS = 300_000


@dataclasses.dataclass(slots=True)
class _SourceBacklog:
    """A source that is at its bound."""

    since: int
    answered_at: int


class BacklogLimits:
    """
    Compare one partition's unanswered sessions with their bound, by source.

    At the bound of a source that works off what it has, as after an outage of ours,
    the partition waits. Of a source that does not, as where its URL has leaked or its
    provider is down, the longest-waiting end: no caller waits for them.
    """

    def __init__(
        self,
        *,
        sources: Mapping[str, source_runtime.SourceRuntime],
        sessions: session_store.SessionStore,
        clock: clocks.Clock,
        limits: source_runtime.Limits,
    ) -> None:
        self._sources = sources
        self._memory = sessions
        self._clock = clock
        self._limits = limits
        self._crowds: dict[str, _SourceBacklog] = {}
        #: fewer sessions are far from both bounds, whatever they hold
        self._few = min(limits.max_unanswered, limits.max_unanswered_bytes >> 16)

    def record_answer(self, source: str) -> None:
        """Take note that a session of *source* waits no longer: it is answered."""
        crowd = self._crowds.get(source)
        if crowd is not None:
            crowd.answered_at = self._clock.now_ms()

    @property
    def blocked_by(self) -> str | None:
        """Return the source for which no more events are taken; None: for none."""
        unanswered = self._memory.unanswered
        for source in unanswered.sources():
            # Nearly always far from its bound, and asked for each event.
            if not self._crowds and unanswered.sessions(source) < self._few:
                continue
            if self._is_full(source) and self._works_off(source):
                return source
        return None

    def is_over(self, source: str) -> bool:
        """Return whether the longest-waiting session of *source* is to end."""
        waiting, limits = self._memory.unanswered, self._limits
        over = (
            waiting.sessions(source) > limits.max_unanswered
            or waiting.size(source) > limits.max_unanswered_bytes
        )
        return over and not self._works_off(source)

    def _is_full(self, source: str) -> bool:
        waiting, limits = self._memory.unanswered, self._limits
        shares = (
            waiting.sessions(source) / limits.max_unanswered,
            waiting.size(source) / limits.max_unanswered_bytes,
        )
        if 2 * max(shares) < 1:
            self._crowds.pop(source, None)
        return max(shares) >= 1

    def _works_off(self, source: str) -> bool:
        bound = self._sources.get(source)
        if bound is None or bound.gate.budget_spent:
            return False
        now = self._clock.now_ms()
        crowd = self._crowds.setdefault(source, _SourceBacklog(now, now))
        return (
            0 <= now - crowd.since < _PATIENCE_MS
            and 0 <= now - crowd.answered_at < _NEXT_ANSWER_MS
        )

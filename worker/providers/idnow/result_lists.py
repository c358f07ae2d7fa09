"""Look into IDnow's company-wide lists, at most once a minute, for all who ask.

The single result answers 404 for what is not a success: pending, aborted and
cancelled transactions stand in lists only (vendor's API documentation, PDF, version
2016-02-15, chapter 8.3.2, seen 2026-11-20).
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from worker import clock as clocks
from worker import errors, model
from worker.providers import _fields, _single_flight
from worker.providers.idnow import client, tables

#: Nothing else of a list is kept: it holds all persons of the company.
_KEPT = ("identificationprocess", "customdata", "esigning")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What all lists together held; times in ms."""

    started_at: int
    entries: Mapping[str, model.ProviderResponse] = dataclasses.field(repr=False)
    failure: errors.FetchError | None = None


_NEVER = _Seen(started_at=-(1 << 62), entries={})


class ResultListCache:
    """The lists of one company."""

    def __init__(
        self,
        gateway: client.ApiClient,
        *,
        interval_ms: int,
        limit_bytes: int,
        reference_field: str | None,
        clock: clocks.Clock,
    ) -> None:
        self._gateway = gateway
        self._interval_ms = interval_ms
        self._limit_bytes = limit_bytes
        self._reference_field = reference_field
        self._clock = clock
        self._seen = _NEVER
        self._started_at = _NEVER.started_at
        self._flight = _single_flight.SingleFlight[_Seen]()

    async def find(self, number: str, fresh_since: int) -> model.ProviderResponse:
        """
        Return what the lists say of transaction *number* (folded).

        A reading counts only if it began at *fresh_since* (ms) or later, whether it
        has the transaction or not: what is older does not answer the question. Until
        the lists may be read again errors.NotAsked is raised. Raises
        errors.NoSuchSession where no list has it, or what the lists failed with; a
        failure holds until the next reading, since it says nothing of a session.
        """
        seen = await self._current()
        if seen.failure is not None:
            # A fresh one: an error that is raised twice has two tracebacks.
            raise type(seen.failure)(
                seen.failure.detail, retry_after_ms=self._still_ms(seen)
            )
        if seen.started_at < fresh_since:
            raise errors.Unsent("list_not_due")
        if number not in seen.entries:
            raise errors.SessionNotFound("not_listed")
        return seen.entries[number]

    def _still_ms(self, seen: _Seen) -> int | None:
        """Return what is left of the Retry-After of a failed reading."""
        wait_ms = seen.failure.retry_after_ms if seen.failure else None
        if wait_ms is None:
            return None
        return max(0, seen.started_at + wait_ms - self._clock.now_ms())

    async def _current(self) -> _Seen:
        """Return what was last read, after reading it anew if that is due."""
        now = self._clock.now_ms()
        # A reading from before the clock was put back is older than it says.
        if not 0 <= now - self._started_at < self._interval_ms:
            self._started_at = now
        elif self._started_at == self._seen.started_at:
            return self._seen
        # Starts the reading that is due, or joins the one in progress.
        return await self._flight.join(self._read)

    async def _read(self) -> _Seen:
        """Read all lists; a failure is kept as well, and holds for the interval."""
        started_at = self._started_at
        entries: dict[str, model.ProviderResponse] = {}
        failure: errors.FetchError | None = None
        try:
            for name in tables.LISTS:
                document, observed_at = await self._gateway.listed(
                    name, limit_bytes=self._limit_bytes
                )
                self._enter(entries, name, document, observed_at)
        except errors.SessionNotFound:
            failure = errors.InvalidResponse("list")
        except errors.FetchError as error:
            failure = error
        self._seen = _Seen(started_at=started_at, entries=entries, failure=failure)
        return self._seen

    def _enter(
        self,
        entries: dict[str, model.ProviderResponse],
        name: str,
        document: Mapping[str, Any],
        observed_at: int,
    ) -> None:
        listed = document.get("identifications")
        if not isinstance(listed, list):
            raise errors.InvalidResponse("list")
        for number, entry in self._numbered(listed):
            known = entries.get(number)
            if known is None or _time(entry) > _time(known.document):
                entries[number] = model.ProviderResponse(
                    document=entry, observed_at=observed_at, origin=name
                )

    def _numbered(
        self, listed: Iterable[object]
    ) -> Iterable[tuple[str, dict[str, Any]]]:
        """Yield the entries that have a transaction number, less what is not kept."""
        for entry in listed:
            if not isinstance(entry, dict):
                continue
            process = _fields.table(entry, "identificationprocess")
            number = process.get("transactionnumber")
            if isinstance(number, str) and number.isascii():
                yield number.lower(), self._reduced(entry)

    def _reduced(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: entry[name] for name in _KEPT if name in entry}
        if "customdata" in kept:
            field = self._reference_field
            custom = _fields.table(entry, "customdata")
            kept["customdata"] = {field: custom.get(field)} if field else {}
        return kept

    async def close(self) -> None:
        """End what is in progress; idempotent."""
        await self._flight.close()


def _time(document: Mapping[str, Any]) -> int:
    """Return ``identificationtime`` in ms, or before all times."""
    process = _fields.table(document, "identificationprocess")
    at = _fields.rfc3339_ms(process.get("identificationtime"))
    return -1 if at is None else at

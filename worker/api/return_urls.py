"""Make our own addresses for a person's way back: a ticket in each."""

import dataclasses
from typing import TypedDict

from worker import clock as clocks
from worker import model
from worker.api import requests, types
from worker.returns import tickets


class Given(TypedDict):
    """What the answer to a begin says of the way back."""

    return_url: str | None
    finished_url: str | None


class ReturnUrls:
    """Makes addresses below *public_url*, where the ingress takes them."""

    def __init__(
        self,
        made: tickets.TicketSigner,
        *,
        public_url: str,
        ttl_ms: int,
        clock: clocks.Clock,
    ) -> None:
        self._tickets = made
        self._public_url = public_url
        self._ttl_ms = ttl_ms
        self._clock = clock

    def provider_return_url(
        self, of: types.ApiSource, wanted: requests.Begin, begin_id: str
    ) -> str | None:
        """Return what the provider is given as return address: no session yet."""
        if wanted.return_url is None:
            return None
        return self._address("return", self._ticket(of, wanted, begin_id))

    def customer_urls(
        self,
        of: types.ApiSource,
        wanted: requests.Begin,
        begin_id: str,
        it: model.StartedSession,
    ) -> Given:
        """Return what the caller is given: the session is known, and its end may be."""
        ticket = self._ticket(of, wanted, begin_id)
        latest = self._clock.now_ms() + of.session_ms
        ticket = dataclasses.replace(
            ticket,
            session_id=it.session_id,
            expires_at=max(ticket.expires_at, it.expires_at or 0, latest),
        )
        if wanted.mode is model.BeginMode.EMBED:
            address = self._address("finished", ticket)
            return Given(return_url=None, finished_url=address)
        return Given(return_url=self._address("return", ticket), finished_url=None)

    def _ticket(
        self, of: types.ApiSource, wanted: requests.Begin, begin_id: str
    ) -> tickets.Ticket:
        return tickets.Ticket(
            source=of.name,
            begin_id=begin_id,
            expires_at=self._clock.now_ms() + self._ttl_ms,
            return_url=wanted.return_url,
        )

    def _address(self, way: str, ticket: tickets.Ticket) -> str:
        return f"{self._public_url}/{way}/{ticket.source}/{self._tickets.sign(ticket)}"

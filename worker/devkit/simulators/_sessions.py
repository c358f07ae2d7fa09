"""Hold the sessions of a simulated provider that signs its callbacks."""

import abc
import uuid
from collections.abc import Collection, Mapping
from typing import ClassVar

from aiohttp import web

from worker import clock as clocks
from worker import model
from worker.devkit.simulators import _account, _scenario

_FORGED = b"forged-webhook-secret"


class SignedSimulator(abc.ABC):
    """A provider whose callbacks are signed with ``hmac_secrets``; in memory."""

    name: str
    addresses: tuple[str, ...] = ("base_url",)
    #: the usual status of each outcome
    statuses: ClassVar[Mapping[model.Outcome, str]]

    def __init__(
        self, account: _account.Account, clock: clocks.Clock | None = None
    ) -> None:
        self.account = account
        self.clock = clock or clocks.SystemClock()
        self.by_id: dict[str, _scenario.SimulatedSession] = {}
        #: what the caller of a session start sent to be returned
        self.metadata: dict[str, Mapping[str, object]] = {}

    @abc.abstractmethod
    def app(self) -> web.Application:
        """Return the documented API."""

    @abc.abstractmethod
    def new_id(self) -> str:
        """Return an id for a new session."""

    @abc.abstractmethod
    def bodies(self, held: _scenario.SimulatedSession) -> list[bytes]:
        """Return the bodies of the callbacks of a finished session, in order."""

    @abc.abstractmethod
    def sign(self, key: bytes, body: bytes) -> Mapping[str, str]:
        """Return the headers that sign *body*."""

    def add(
        self,
        scenario: _scenario.Scenario,
        session_id: str | None = None,
        *,
        reference: str | None = None,
    ) -> str:
        """Add a finished session and return its id."""
        session_id = session_id or self.new_id()
        self.by_id[session_id] = _scenario.SimulatedSession(
            session_id, scenario, reference
        )
        return session_id

    def start(
        self, *, reference: str | None, return_url: str | None
    ) -> _scenario.SimulatedSession:
        """Add a session that waits for its end user."""
        session_id = self.add(_scenario.Scenario(), reference=reference)
        held = self.by_id[session_id]
        held.standing = _scenario.PersonState.BEGUN
        held.return_url = return_url
        return held

    def held(self, session_id: str) -> _scenario.SimulatedSession:
        """Return a session; raises KeyError."""
        return self.by_id[session_id]

    def sessions(self) -> Collection[_scenario.SimulatedSession]:
        """Return all sessions, in the order in which they were added."""
        return self.by_id.values()

    def status(self, scenario: _scenario.Scenario) -> str:
        """Return the status word at the end of *scenario*."""
        if scenario.unknown_word:
            return _scenario.UNKNOWN_WORD
        return scenario.status or self.statuses[scenario.outcome]

    def callbacks(self, session_id: str) -> list[_scenario.OutgoingCallback]:
        """Return the signed callbacks of a session; raises KeyError."""
        held = self.by_id[session_id]
        forged = held.scenario.bad_signature
        secret = (self.account.text("hmac_secrets") or "").encode()
        sent = [
            _scenario.OutgoingCallback(
                delay_s=0.0,
                method="POST",
                path=self.account.webhook_path(forged=forged),
                headers={
                    "Content-Type": "application/json",
                    **self.sign(_FORGED if forged else secret, body),
                },
                body=body,
            )
            for body in self.bodies(held)
        ]
        return _scenario.schedule(held.scenario, sent)

    def truth(self, session_id: str) -> _scenario.ExpectedDecision | None:
        """Return what the session must end in; raises KeyError."""
        scenario = self.by_id[session_id].scenario
        return _scenario.truth(
            scenario, scenario.status or self.statuses[scenario.outcome]
        )

    def now_s(self) -> int:
        """Return the time in seconds."""
        return self.clock.now_ms() // 1000


def derived_uuid(session_id: str, word: object) -> uuid.UUID:
    """Return the id of a callback; a repeat keeps it."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{session_id} {word}")

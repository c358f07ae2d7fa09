"""Say what a simulated provider is to those who serve and steer it."""

from collections.abc import Collection
from typing import Protocol

from aiohttp import web

from worker.devkit.simulators import _scenario


class Simulator(Protocol):
    """One simulated provider, playing towards one account; sessions in memory."""

    name: str

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the settings of a source that must be where this is served."""
        ...

    def app(self) -> web.Application:
        """Return the provider's documented API, without the control endpoint."""
        ...

    def add(
        self,
        scenario: _scenario.Scenario,
        session_id: str | None = None,
        *,
        reference: str | None = None,
    ) -> str:
        """Hold a finished session and return its id, made up where none is given."""
        ...

    def held(self, session_id: str) -> _scenario.SimulatedSession:
        """Return a session as it stands; raises KeyError."""
        ...

    def sessions(self) -> Collection[_scenario.SimulatedSession]:
        """Return all sessions, in the order in which they were made."""
        ...

    def callbacks(self, session_id: str) -> list[_scenario.OutgoingCallback]:
        """Return the requests that the provider makes for it; raises KeyError."""
        ...

    def truth(self, session_id: str) -> _scenario.ExpectedDecision | None:
        """Return what the session must end in, None if denied; raises KeyError."""
        ...

"""Play the providers: one application each, speaking its documented API."""

from worker.devkit.simulators import (
    _account,
    _delivery,
    _entry,
    _pages,
    _protocol,
    _scenario,
    _server,
)

Account = _account.Account
Dashboard = _pages.PersonControls
Deed = _pages.PersonAction
Held = _scenario.SimulatedSession
OutgoingCallback = _scenario.OutgoingCallback
Scenario = _scenario.Scenario
Served = _server.Served
Simulator = _protocol.Simulator
SimulatorEntry = _entry.SimulatorEntry
Standing = _scenario.PersonState
Truth = _scenario.ExpectedDecision
act = _pages.act
deliver = _delivery.deliver
find = _entry.find
serve = _server.serve
serve_all = _server.serve_all

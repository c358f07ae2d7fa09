"""Play the providers: one application each, speaking its documented API."""

import types
from collections.abc import Callable

from worker.devkit.simulators import (
    _account,
    _delivery,
    _pages,
    _protocol,
    _scenario,
    _server,
    biometric,
    idbeyond,
    idenfy,
    identomat,
    idnow,
)

Account = _account.Account
Dashboard = _pages.PersonControls
Deed = _pages.PersonAction
Held = _scenario.SimulatedSession
OutgoingCallback = _scenario.OutgoingCallback
Scenario = _scenario.Scenario
Served = _server.Served
Simulator = _protocol.Simulator
Standing = _scenario.PersonState
Truth = _scenario.ExpectedDecision
act = _pages.act
deliver = _delivery.deliver
serve = _server.serve
serve_all = _server.serve_all

#: What plays which provider; made with the account that it plays towards.
SIMULATORS: types.MappingProxyType[str, Callable[[Account], Simulator]] = (
    types.MappingProxyType(
        {
            "biometric": biometric.Biometric,
            "idbeyond": idbeyond.IdBeyond,
            "idenfy": idenfy.Idenfy,
            "identomat": identomat.Identomat,
            "idnow": idnow.Idnow,
        }
    )
)

"""Describe the settings that every HTTP service has in common."""

from typing import Annotated

import pydantic

from worker.settings import types

AdminPort = Annotated[
    types.Port,
    pydantic.Field(
        description="Port of `/livez`, `/readyz` and `/metrics`; 0 selects a free port."
    ),
]
Port = Annotated[
    types.Port,
    pydantic.Field(description="Port of the service; 0 selects a free port."),
]
ReadTimeout = Annotated[
    types.PositiveMs,
    pydantic.Field(
        description="Time limit for a request body to arrive completely; then 408."
    ),
]
ShutdownTimeout = Annotated[
    types.PositiveMs,
    pydantic.Field(description="How long SIGTERM waits for requests to finish."),
]
RetryAfter = Annotated[
    types.PositiveMs,
    pydantic.Field(
        description="`Retry-After` of a 503 response, sent in whole seconds."
    ),
]
KeepaliveTimeout = Annotated[
    types.PositiveMs,
    pydantic.Field(
        description="Time limit for an idle connection, and for a connection whose"
        " request headers do not arrive; then it is closed."
    ),
]
LingerTimeout = Annotated[
    types.PositiveMs,
    pydantic.Field(
        description="How long the rest of a request body that is not read is discarded"
        " before the connection is closed."
    ),
]
SendTimeout = Annotated[
    types.PositiveMs,
    pydantic.Field(
        description="Time limit for a client to read a response; then its connection"
        " is closed."
    ),
]
MaxConnections = Annotated[
    int,
    pydantic.Field(
        ge=16,
        le=1_000_000,
        description="Maximum number of open connections. Beyond it, the connection"
        " that has waited longest for a request, or for its client to read a response,"
        " is closed; connections whose client has shown a secret are closed last, up"
        " to half of all places. The limit is lower if the process may not open that"
        " many files.",
    ),
]

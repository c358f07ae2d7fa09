"""Lose one request of aiokafka's in this process, and deliver it when a test asks."""

import asyncio
import enum
from typing import Any

import aiokafka
import pytest
from aiokafka import conn as connections
from aiokafka import errors as theirs


class Loss(enum.StrEnum):
    """What the client sees of a request that is lost."""

    #: no answer; the request has not arrived yet
    TIMEOUT = enum.auto()
    #: the connection is reset; the request has not arrived yet
    RESET = enum.auto()
    #: the request arrives at once, and its answer never
    ANSWER = enum.auto()
    #: there is no connection: the request is not sent at all
    UNCONNECTED = enum.auto()


class Network:
    """
    The connections of this process to its brokers.

    To a broker the same bytes mean the same on any connection, so a lost request is
    delivered by a client of its own: no proxy is needed, and no time-out.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, servers: str) -> None:
        self._servers = servers
        self._send = connections.AIOKafkaConnection.send
        self._kind: type | None = None
        self._loss = Loss.TIMEOUT
        self._before: tuple[type, int] | None = None
        self._started = asyncio.get_running_loop().time()
        #: what was lost
        self.lost: Any = None
        #: the requests that were sent since then, by the name of their class
        self.sent: list[str] = []
        #: what the broker answered to the late copies
        self.answers: list[Any] = []
        network = self

        def send(
            connection: connections.AIOKafkaConnection,
            request: Any,  # noqa: ANN401 -- any request of aiokafka's
            **options: Any,  # noqa: ANN401 -- aiokafka's own
        ) -> Any:  # noqa: ANN401 -- something to be awaited
            return network._on_send(connection, request, options)

        monkeypatch.setattr(connections.AIOKafkaConnection, "send", send)

    def lose(self, kind: type, loss: Loss) -> None:
        """Lose the next request of *kind*."""
        self._kind, self._loss, self.lost = kind, loss, None

    def deliver_before(self, kind: type, nth: int) -> None:
        """Deliver the lost request just before the *nth* one of *kind* from now on."""
        self.sent.clear()
        self._before = (kind, nth)

    async def deliver(self) -> None:
        """Deliver the lost request now, and keep the broker's answer."""
        client = aiokafka.AIOKafkaClient(bootstrap_servers=self._servers)
        await client.bootstrap()
        try:
            node = client.get_random_node()  # the one broker there is
            self.answers.append(await client.send(node, self.lost))
        finally:
            await client.close()

    def _on_send(
        self,
        connection: connections.AIOKafkaConnection,
        request: Any,  # noqa: ANN401 -- any request of aiokafka's
        options: dict[str, Any],
    ) -> Any:  # noqa: ANN401 -- something to be awaited
        if self._kind is not None and isinstance(request, self._kind):
            self._kind, self.lost = None, request
            return self._lost(connection, request, options)
        if request is not self.lost:
            self.sent.append(type(request).__name__)
        if self._is_due(request):
            self._before = None
            return self._delayed(connection, request, options)
        return self._send(connection, request, **options)

    def _is_due(self, request: object) -> bool:
        if self._before is None or request is self.lost:
            return False
        kind, nth = self._before
        return isinstance(request, kind) and self.sent.count(kind.__name__) == nth

    async def _lost(
        self,
        connection: connections.AIOKafkaConnection,
        request: object,
        options: dict[str, Any],
    ) -> None:
        if self._loss is Loss.ANSWER:
            await self._send(connection, request, **options)
        if self._loss is Loss.UNCONNECTED:
            raise theirs.NodeNotReadyError
        if self._loss is Loss.RESET:
            connection.close(reason=connections.CloseReason.CONNECTION_BROKEN)
            raise theirs.KafkaConnectionError
        raise TimeoutError  # aiokafka closes the connection itself

    async def _delayed(
        self,
        connection: connections.AIOKafkaConnection,
        request: object,
        options: dict[str, Any],
    ) -> object:
        await self.deliver()
        answer: object = await self._send(connection, request, **options)
        return answer

"""
Notice an EndTxn request without an answer: its producer must not be used again.

aiokafka 0.14 repeats a request that was not answered, and a copy that the network
has held back may reach the broker much later. EndTxn v0 names the producer, its epoch
and nothing of the transaction, and all transactions of a producer have one epoch: a
late copy ends the transaction that is open when it arrives, and commits the part of
it that is written (tried with Kafka 4.3.1, 2026-11-30). A fence raises the epoch, and
every older copy is void. docs/security/threat-model.md lists the other requests that
are repeated.
"""

import aiokafka
from aiokafka import client as clients
from aiokafka import errors as theirs
from aiokafka.protocol import transaction as protocol


class EndWatch:
    """Watches the EndTxn requests of one producer, from before its start."""

    def __init__(self, producer: aiokafka.AIOKafkaProducer) -> None:
        #: whether a copy of an EndTxn request may still arrive at the broker
        self.unanswered = False
        self._send = producer.client.send
        producer.client.send = self._watched

    async def _watched(
        self,
        node_id: int,
        request: object,
        *,
        group: clients.ConnectionGroup = clients.ConnectionGroup.DEFAULT,
    ) -> object:
        try:
            answer: object = await self._send(node_id, request, group=group)
        except theirs.NodeNotReadyError:  # there was no connection: it was not sent
            raise
        except BaseException:
            if isinstance(request, protocol.EndTxnRequest):
                self.unanswered = True
            raise
        return answer

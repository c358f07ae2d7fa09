"""Everything private of aiokafka's that the transport uses is there in this release."""

import ast
import inspect
import pathlib
from collections.abc import Iterator

import aiokafka
import pytest
from aiokafka import client as clients
from aiokafka import conn as connections
from aiokafka.consumer import group_coordinator
from aiokafka.producer import message_accumulator as accumulators
from aiokafka.producer import sender
from aiokafka.protocol import transaction as protocol

import worker.kafka

_FOLDER = pathlib.Path(worker.kafka.__file__).parent
_PLACE = aiokafka.TopicPartition("t", 0)
#: by what has it: the private attributes that the transport reads or sets
_USED = {
    "producer": {
        "_closed",
        "_message_accumulator",
        "_sender",
        "_txn_manager",
    },
    "accumulator": {"_batches", "_closed"},
    "batch": {"_drain_waiter"},
    "transactions": {"_transaction_waiter"},
    "consumer": {"_client", "_closed", "_coordinator", "_fetcher"},
    "client": {"_conns", "_md_update_fut", "_request_timeout_ms", "_sync_task"},
    "connection": {"_request_timeout", "_writer"},
}


def _read(path: pathlib.Path) -> Iterator[str]:
    """Yield the private attributes that a module uses of what is not its own."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if owner not in {"self", "cls"} and not node.attr.startswith("__"):
                yield node.attr


def test_the_table_names_everything_that_is_used() -> None:
    """A new use of a private attribute is added to the table, and so is checked."""
    used = {path.name: set(_read(path)) for path in _FOLDER.glob("*.py")}
    private = used.pop("aiokafka_patches.py")

    assert set().union(*_USED.values()) == private
    assert {name: names for name, names in used.items() if names} == {}


@pytest.fixture(name="owners")
async def _owners() -> dict[str, object]:
    """Return one of each of aiokafka's objects, none of them started."""
    producer = aiokafka.AIOKafkaProducer(transactional_id="t")
    connection = connections.AIOKafkaConnection("127.0.0.1", 1)
    builder = producer.create_batch()
    owners: dict[str, object] = {
        "producer": producer,
        "accumulator": producer._message_accumulator,
        "batch": accumulators.MessageBatch(_PLACE, builder, 1, 0),
        "transactions": producer._txn_manager,
        "consumer": aiokafka.AIOKafkaConsumer(),
        "client": producer.client,
        "connection": connection,
    }
    producer._closed = True  # or it complains of not being stopped
    owners["consumer"]._closed = True  # type: ignore[attr-defined] # -- same
    return owners


@pytest.mark.parametrize("owner", _USED)
async def test_every_private_attribute_is_there(
    owners: dict[str, object], owner: str
) -> None:
    """A release that renames one fails here, and not at a broker's death."""
    missing = [name for name in _USED[owner] if not hasattr(owners[owner], name)]

    assert missing == []


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        (clients.AIOKafkaClient.send, ["self", "node_id", "request", "group"]),
        (clients.AIOKafkaClient.ready, ["self", "node_id", "group"]),
        (connections.AIOKafkaConnection.close, ["self", "reason", "exc"]),
        (connections.AIOKafkaConnection.send, ["self", "request", "expect_response"]),
    ],
)
def test_the_methods_that_are_wrapped_take_what_they_took(
    method: object, parameters: list[str]
) -> None:
    """The wrappers around ``send`` pass everything on."""
    assert parameters == list(inspect.signature(method).parameters)  # type: ignore[arg-type] # -- each is a function


def test_the_sender_sends_through_the_client_each_time() -> None:
    """The watch for EndTxn requests replaces ``client.send``, which nobody keeps."""
    source = inspect.getsource(sender.BaseHandler.do)

    assert "self._sender.client.send(" in source
    assert "NodeNotReadyError" in inspect.getsource(clients.AIOKafkaClient.send)


def test_one_epoch_serves_all_transactions_of_a_producer() -> None:
    """
    From EndTxn v5 on each commit raises the epoch, and no producer need be retired.

    The same goes for InitProducerId v3, which raises one's own epoch without a
    restore: when aiokafka has either, worker/kafka/aiokafka_patches.py can become less.
    """
    versions = {
        kind.__name__: [each.API_VERSION for each in kind._CLASSES]
        for kind in (protocol.EndTxnRequest, protocol.InitProducerIdRequest)
    }

    assert versions == {"EndTxnRequest": [0], "InitProducerIdRequest": [0]}


@pytest.mark.parametrize("method", ["abort_transaction", "send_offsets_to_transaction"])
def test_no_transaction_is_aborted_or_holds_offsets(method: str) -> None:
    """A late copy of such a request would end or change the next transaction."""
    package = _FOLDER.parent
    users = [
        path.name
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == method
    ]

    assert users == []


def test_the_coordinator_of_a_group_is_found_by_its_tasks() -> None:
    """A discarded consumer's tasks run methods of these, and are cancelled by that."""
    for name in ("_coordination_routine", "_heartbeat_routine"):
        assert inspect.iscoroutinefunction(
            getattr(group_coordinator.GroupCoordinator, name)
        )

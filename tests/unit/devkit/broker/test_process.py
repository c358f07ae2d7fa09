"""What a person is shown of a broker's log."""

import pathlib

from worker.devkit.broker import process

_LOG = """\
10:00:00.000 [main] ERROR kafka.Kafka$ - an earlier start
10:00:01.000 [main] INFO kafka.Kafka$ - starting
10:00:01.100 [main] ERROR kafka.Kafka$ - Exiting Kafka due to fatal exception
java.net.BindException: Address already in use
\tat java.base/sun.nio.ch.Net.bind0(Native Method)
10:00:01.200 [kafka-shutdown-hook] INFO kafka.Kafka$ - shut down
"""


def test_cause_is_shown_without_routine_and_earlier_starts(
    tmp_path: pathlib.Path,
) -> None:
    """The excerpt is the error of the latest start, not what came around it."""
    path = tmp_path / "broker.log"
    path.write_text(_LOG)
    assert process.log_end(path, since=_LOG.index("10:00:01")).splitlines() == [
        "10:00:01.100 [main] ERROR kafka.Kafka$ - Exiting Kafka due to fatal exception",
        "java.net.BindException: Address already in use",
    ]


def test_log_without_errors_is_shown_as_it_ends(tmp_path: pathlib.Path) -> None:
    """Where nothing went wrong in words, the last lines have to do."""
    path = tmp_path / "broker.log"
    path.write_text("10:00:01.000 [main] INFO kafka.Kafka$ - starting\n" * 40)
    assert len(process.log_end(path, since=0).splitlines()) == 15


def test_missing_log_is_nothing(tmp_path: pathlib.Path) -> None:
    """A broker that wrote nothing is no second error."""
    assert process.log_end(tmp_path / "none", since=0) == ""

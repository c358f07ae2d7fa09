"""Say how long Kafka's times are in the tests: short in the suite, or as in earnest."""

import dataclasses
from collections.abc import Mapping

from worker import settings

_DEFAULTS = settings.Kafka()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """
    One profile; times in milliseconds where they are configured, else in seconds.

    ``toml`` is what a process is configured with, ``broker_properties`` what the
    brokers that it meets are.
    """

    name: str
    session: int
    heartbeat: int
    rebalance: int
    commit_deadline: int
    transaction: int
    #: how long the controller waits for a broker before its partitions move
    broker_session: int
    #: how often the coordinator looks for transactions that are open for too long
    transaction_sweep: int
    #: how long a test freezes a process or a broker: past every time-out above
    frozen_s: float
    #: how long a test leaves no broker at all
    outage_s: float
    #: how long a test waits for what must come
    patience_s: float

    @property
    def toml(self) -> str:
        """Return the lines of the ``[kafka]`` table."""
        return "\n".join(
            f'{name} = "{value}ms"'
            for name, value in {
                "session_timeout": self.session,
                "heartbeat_interval": self.heartbeat,
                "rebalance_timeout": self.rebalance,
                "commit_deadline": self.commit_deadline,
                "transaction_timeout": self.transaction,
            }.items()
        )

    @property
    def broker_properties(self) -> Mapping[str, str]:
        """Return the lines of ``server.properties``."""
        sweep = "transaction.abort.timed.out.transaction.cleanup.interval.ms"
        return {
            "broker.session.timeout.ms": str(self.broker_session),
            "broker.heartbeat.interval.ms": str(self.broker_session // 6),
            sweep: str(self.transaction_sweep),
        }


#: What ``make test`` uses; outages of ten seconds at most.
SHORT = Times(
    name="short",
    session=2_000,
    heartbeat=300,
    rebalance=6_000,
    commit_deadline=5_000,
    transaction=6_000,
    broker_session=3_000,
    transaction_sweep=500,
    frozen_s=8.0,
    outage_s=8.0,
    patience_s=60.0,
)
#: What ``make faults`` uses: our own defaults and Kafka's.
FULL = Times(
    name="full",
    session=_DEFAULTS.session_timeout,
    heartbeat=_DEFAULTS.heartbeat_interval,
    rebalance=_DEFAULTS.rebalance_timeout,
    commit_deadline=_DEFAULTS.commit_deadline,
    transaction=_DEFAULTS.transaction_timeout,
    broker_session=9_000,
    transaction_sweep=10_000,
    frozen_s=40.0,
    outage_s=120.0,
    patience_s=180.0,
)

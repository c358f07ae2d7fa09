"""
Run Apache Kafka itself as child processes, one broker or three, for dev and tests.

    async with broker.Cluster(nodes=1) as cluster:
        cluster.bootstrap_servers
"""

from worker.broker.cluster import Cluster
from worker.broker.failure import BrokerError
from worker.broker.node import Node

__all__ = ["BrokerError", "Cluster", "Node"]

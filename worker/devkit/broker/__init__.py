"""
Run Apache Kafka itself as child processes, one broker or three, for dev and tests.

    async with broker.Cluster(nodes=1) as cluster:
        cluster.bootstrap_servers
"""

from worker.devkit.broker.cluster import Cluster
from worker.devkit.broker.errors import BrokerError
from worker.devkit.broker.node import Node

__all__ = ["BrokerError", "Cluster", "Node"]

"""
Run Apache Kafka itself as child processes, one broker or three, for dev and tests.

    async with broker.Cluster(nodes=1) as cluster:
        cluster.bootstrap_servers
"""

from worker.devkit.broker.cluster import Cluster
from worker.devkit.broker.node import Node
from worker.devkit.broker.process import BrokerError

__all__ = ["BrokerError", "Cluster", "Node"]

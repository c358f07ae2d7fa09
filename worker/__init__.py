"""Turn identity-verification callbacks into decisions, exactly once, on Kafka."""

__version__ = "0.2.0"

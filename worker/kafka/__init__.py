"""Speak to Kafka: topics, the ingress's producer, a partition's owner, readers."""

"""Tools for development: an embedded Kafka, simulated providers, `dev`."""

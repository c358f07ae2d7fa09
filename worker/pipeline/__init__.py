"""Run partitions: events and fetches through the ledger to commits; knows no Kafka."""

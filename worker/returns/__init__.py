"""Take people who come back from a provider: tickets, hints, and the way on."""

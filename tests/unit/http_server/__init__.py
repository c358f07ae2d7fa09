"""Connections, bodies and sockets, below every endpoint."""

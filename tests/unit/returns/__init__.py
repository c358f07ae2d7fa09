"""The return endpoints, on a socket of their own."""

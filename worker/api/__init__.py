"""Begin and register sessions over HTTP, apart from the ingress."""

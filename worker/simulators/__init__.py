"""Play the providers: one application each, speaking its documented API."""

"""Made-up providers: proof of what a new provider needs."""

"""Test the signature schemes."""

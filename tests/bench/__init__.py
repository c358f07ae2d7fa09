"""Measure the product against the floor that its parts set, in one run."""

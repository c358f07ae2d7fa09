"""Measure what grows: the restore of a long history, and how sources part."""

"""Readers of kinds of files, each of which makes an `Image` of a path."""

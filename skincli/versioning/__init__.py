"""Versions of the data, kept by DVC, which is called as a command."""

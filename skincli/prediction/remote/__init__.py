"""Asking a server in place of a model: `skincli predict --server URL`."""

"""Copying an embedded store, whole and proved, into another."""

"""Decoded images in one memory-mapped array, sealed chunk by chunk."""

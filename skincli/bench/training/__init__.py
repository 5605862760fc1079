"""Training beside the least that it could cost. The one part of `bench` that imports torch."""

"""A float32 bundle to one of int8: quantised, fitted anew, and held against where it came from."""

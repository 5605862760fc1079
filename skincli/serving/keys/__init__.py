"""API keys: made, listed and revoked in a file that holds only their hashes. No web framework."""

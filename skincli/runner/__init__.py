"""A self-hosted GitHub Actions runner in a container: its checks, its start, its life."""

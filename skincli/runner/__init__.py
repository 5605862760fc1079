"""A self-hosted GitHub Actions runner in a container: the checks before it and its start."""

from skincli.runner.set_up import RunnerResult, set_up_runner

__all__ = ["RunnerResult", "set_up_runner"]

"""The detached supervisor: `python -m skincli.runner.actions NAME`, told the rest by a pipe."""

import sys

from skincli.runner.actions.detached import run_detached

if __name__ == "__main__":
    sys.exit(run_detached())

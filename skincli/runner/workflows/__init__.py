"""GitHub workflows for a repository that trains with skincli."""

from skincli.runner.workflows.write import WorkflowsResult, write_workflows

__all__ = ["WorkflowsResult", "write_workflows"]

"""GitHub workflows for a repository that trains with skincli."""

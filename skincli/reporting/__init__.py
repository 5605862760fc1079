"""What continuous training tells about a model: one Markdown report beside its pictures."""

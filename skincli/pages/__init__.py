"""Reports for people: HTML pages, which need nothing beside them, and Markdown."""

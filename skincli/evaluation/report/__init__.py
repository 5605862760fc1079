"""The report of an evaluation: sections of plain blocks, written as HTML and as Markdown."""

"""The bounded search: named ranges, a study in SQLite, trials that are ordinary runs."""

"""A fetched data set, read: its table to checked rows, its image ids to bytes."""

"""Looking at a fetched set: its counts, its pitfalls, its pictures. Nothing here changes it."""

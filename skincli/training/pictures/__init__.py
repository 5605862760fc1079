"""Pictures of a run: how it learned, what it saw, how much of it. Nothing here needs a display."""

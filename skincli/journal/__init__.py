"""What was predicted, and what was found later: written by the server, read by the monitoring."""

from skincli.journal.entries import Feedback, PredictionEntry
from skincli.journal.writer import JournalWriter

__all__ = ["Feedback", "JournalWriter", "PredictionEntry"]

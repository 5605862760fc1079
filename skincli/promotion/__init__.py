"""The evidence, the verdict, and the alias that moves only on it."""

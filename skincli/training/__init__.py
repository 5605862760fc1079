"""From a prepared set to a sealed bundle. With `models`, the only room that imports torch."""

"""Following an alias: one process asks the registry, the workers read what it found."""

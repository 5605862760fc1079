"""Which part every lesion belongs to: dealt by a hash, kept in versions, proved free of leaks."""

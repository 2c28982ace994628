"""Pages that cross apps and their live consumers."""

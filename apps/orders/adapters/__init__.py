"""One folder per broker."""

"""Settings: base for all, then dev (one machine), production (containers) and test; one file per integration."""

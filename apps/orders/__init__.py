"""Orders, fills, the simulated venue and the executor."""

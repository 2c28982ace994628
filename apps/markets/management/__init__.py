"""Commands of markets, and the players that `run_streams` drives."""

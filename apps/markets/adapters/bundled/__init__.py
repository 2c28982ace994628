"""Market history inside wheels that the project needs anyway: two US indices (arch) and twenty US stocks (skfolio), daily."""

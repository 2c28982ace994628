"""Simulation over the one engine, and the statistics that judge its results. Plain Python."""

"""How a worker reaches open pages."""

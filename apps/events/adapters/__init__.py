"""What stands outside PostgreSQL: the anchor file, Redis, the Channels layer."""

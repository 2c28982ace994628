"""The append-only log and its sealer, the Redis Streams bus, handlers, outside channels."""

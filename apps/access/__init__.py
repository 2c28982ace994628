"""Users, roles, one-time log-in links, idempotency keys."""

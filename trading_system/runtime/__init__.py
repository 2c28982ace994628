"""`manage.py up`: embedded PostgreSQL and Redis, supervised processes, status and stop."""

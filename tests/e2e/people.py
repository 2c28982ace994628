"""Who may log in on a test site."""

PASSWORD = "a-password-for-tests"
PEOPLE = {"ada": "admin", "tom": "trader", "vic": "viewer", "lou": "viewer"}

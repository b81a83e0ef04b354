"""Staff accounts: signing in, sessions, and who may do what."""

"""``tessera demo``: real receipts through all services, and what happened, in words."""

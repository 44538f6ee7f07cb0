"""The other services, as far as members asks them anything."""

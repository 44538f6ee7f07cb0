"""Every SQL statement of coalition, by what it is about."""

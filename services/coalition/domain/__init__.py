"""What a partner, a store, a till and an API client are. Pure: no database, no clock, no randomness."""

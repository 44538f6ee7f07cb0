"""What a member is, and what may be decided about one. Pure: no database, no clock, no randomness."""

"""What fraud decides, purely: no database, no clock, no randomness."""

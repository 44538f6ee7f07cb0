"""What notifications does, one capability a file. Use cases work inside the caller's transaction."""

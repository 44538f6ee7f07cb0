"""What a digest says and what becomes of a message: pure, no I/O, no clock."""

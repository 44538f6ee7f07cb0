"""What earns what, and why. Pure: no I/O, no clock, no session."""

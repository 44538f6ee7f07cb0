"""What HTTP says: requests, strictly read, and answers."""

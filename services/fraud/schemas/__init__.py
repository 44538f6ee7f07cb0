"""What HTTP says: requests, strictly read, and answers. One file a subject."""

"""What HTTP says: requests, strictly read, and answers. No answer that is stored for a retry holds personal data."""

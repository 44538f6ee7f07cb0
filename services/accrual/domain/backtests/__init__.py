"""What receipts of the past would have earned under other rules. Pure."""

"""Every SQL statement of notifications. Real time (``now()``) appears only in leases and retries."""

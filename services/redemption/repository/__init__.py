"""Every SQL statement of redemption: set-based, in key order, the reason beside the trap."""

"""redemption: points reserved at a till, taken, let go, and what a member has."""

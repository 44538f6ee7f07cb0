"""accrual: the POS door, receipts, rule sets and awards."""

"""Every SQL statement of accrual, by what it is about. Hot ones are set-based and in key order."""

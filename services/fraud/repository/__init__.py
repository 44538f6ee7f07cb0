"""Every SQL statement of fraud, by what it is about. Hot ones are set-based and in key order."""

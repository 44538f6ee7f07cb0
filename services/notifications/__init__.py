"""Members are told: events become messages, and messages become mail."""

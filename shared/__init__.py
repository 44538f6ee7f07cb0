"""The kernel that every service stands on: words, events, the ledger and the runtime. It knows no service."""

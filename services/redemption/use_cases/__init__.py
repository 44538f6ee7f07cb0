"""One file a capability: load facts, decide, save. All work inside the caller's transaction."""

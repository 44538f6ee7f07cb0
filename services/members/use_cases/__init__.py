"""One file a capability: load, decide, save, inside the caller's transaction."""

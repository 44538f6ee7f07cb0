"""What fraud can do, one file a capability: load facts, decide, save. The edge opens and commits the transaction."""

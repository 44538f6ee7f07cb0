"""Routes: parse, authorise, call, answer."""

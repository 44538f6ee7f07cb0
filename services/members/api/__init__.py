"""Routes: parse, authorise, call a use case, answer."""

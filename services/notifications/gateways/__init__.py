"""The two outside parties of a message: the registry that knows the address, and the mail server."""

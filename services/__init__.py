"""The six services. None imports another: they meet in events and over HTTP."""

"""The command line: the operator's tools, speaking to services over HTTP."""

"""Whose certificates this process trusts when it calls others."""

import ssl
from functools import cache

import httpx2


@cache
def trusted_authorities() -> ssl.SSLContext:
    """The authorities that everybody trusts, read once a process: it takes 20 ms, and every client reads them else."""
    return httpx2.create_ssl_context(trust_env=False)

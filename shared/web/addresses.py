"""Which addresses we take keys from: https, or plain http that never leaves this host."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_trustworthy(url: str, *, may_be_local: bool = True) -> bool:
    """Whether nobody between us and this address can answer in its place.

    https with a host, or, where that is allowed, http to this host. Neither may bear an account. Pure: no name is
    looked up.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    is_clean = url.isascii() and url.isprintable() and " " not in url
    if not host or not is_clean or parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and may_be_local and _is_loopback(host))


def same_place(url: str) -> str:
    """The address with what makes no difference taken off: two that are equal so are one."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}{parts.path.rstrip('/')}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

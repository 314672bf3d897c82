"""The public address of an installation, and the proxies that it believes: read and checked."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import idna

Network = IPv4Network | IPv6Network

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def read_public_url(text: str) -> str:
    """The address without a slash at its end. Raises ``ValueError`` in words that follow the setting's name."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as wrong:
        raise ValueError(f"cannot be read: {wrong}") from wrong
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must look like https://cadenza.example.com")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must be scheme, name and perhaps a port, with no path, query or user")
    if not _is_host(host):
        raise ValueError(f"{host} is no name or address of a machine")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must start with https:// (http:// only for this machine)")
    return text.rstrip("/")


def is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_host(host: str) -> bool:
    if _is_address(host):
        return True
    try:
        name = idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return False
    labels = name.removesuffix(".").split(".")
    # A last label of digits only is an address gone wrong, such as 10.0.0.256.
    return all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()


def read_networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks between commas. Raises ``ValueError``."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())

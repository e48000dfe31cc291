"""Agents' addresses: what a node may have written into the chain's register for others to connect to. Pure.

Every client and every agent connects to what a node registered, so a node must not choose more than a web server: no
words of the path that would stand before or swallow ours, no credentials, nothing but HTTP, and no address by which
machines reach what is private to them alone, as services of cloud providers (link-local) do. Names are not looked up
here; where they lead, and which private networks may be reached, is for the firewall of whoever runs the process.
"""

from __future__ import annotations

import ipaddress
import re

import httpx

_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
#: A last label like this makes a name that systems read as an IPv4 address in one of its older forms.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_LONGEST_NAME = 253


class UnusableAddress(ValueError):
    """No address of an agent; says why."""


def base_of(url: str) -> str:
    """The address of an agent, without a slash at its end, for paths to be appended to.

    Raises: UnusableAddress: not the address of a web server, or one that nobody should be led to.
    """
    try:
        parsed = httpx.URL(url)
        host, port = parsed.host, parsed.port
    except (httpx.InvalidURL, ValueError) as error:
        raise UnusableAddress(str(error)) from error
    path = parsed.path.rstrip("/")
    if parsed.scheme not in ("http", "https"):
        raise UnusableAddress("it does not begin with http:// or https://")
    if parsed.userinfo or "?" in url or "#" in url:
        raise UnusableAddress("it holds more than host, port and path")
    if port is not None and not 0 < port < 2**16:
        raise UnusableAddress(f"there is no port {port}")
    if _PATH.fullmatch(path) is None or {".", ".."} & set(path.split("/")):
        raise UnusableAddress("its path is not plain")
    _check_host(host, parsed.raw_host.decode("ascii"))
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii')}{path}"


def _check_host(host: str, raw_host: str) -> None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        labels = raw_host.lower().removesuffix(".").split(".")
        if len(raw_host) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)) or _NUMBER.fullmatch(labels[-1]):
            raise UnusableAddress("it names no host") from None
        return
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped.is_link_local or mapped.is_unspecified or mapped.is_multicast:
        raise UnusableAddress(f"{address} leads to no single machine that everybody can reach")

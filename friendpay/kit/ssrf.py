"""SSRF guard: which addresses of others may be called, none inside our own network, however they are written."""

import ipaddress

from requests_hardened.ip_filter import InvalidIPAddress, filter_host

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# The rest of IPv6 is nobody's or holds IPv4 addresses, such as ::127.0.0.1, which Python takes for public.
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")


def literal(host: str) -> Address | None:
    """The address that a host is, if it is no name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_loopback(address: Address) -> bool:
    """Without what is written as IPv6 and means IPv4, which only some Pythons count as such."""
    return address.is_loopback and not (address.version == 6 and address.ipv4_mapped)


def is_public(address: Address) -> bool:
    if not address.is_global or (address.version == 6 and address not in _PUBLIC_IPV6):
        return False
    try:
        filter_host(str(address), 443, allow_loopback=False)
    except InvalidIPAddress:
        return False
    return True


def may_call(address: Address, *, loopback: bool) -> bool:
    """Whether an address may be called; this machine's own only with `loopback`, as in the demo."""
    return is_public(address) or (loopback and is_loopback(address))

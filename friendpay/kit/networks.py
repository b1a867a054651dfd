"""Client addresses (IPv4, IPv6 prefixes) as keyed hashes: enough to count by, and no address is kept.

An address nobody can read (a proxy may say `unknown`, or a name) is "" everywhere: it limits nobody, for those who
share it are strangers to each other.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.http import HttpRequest

from friendpay.kit.digests import digest


@lru_cache(maxsize=10_000)
def read(text: str) -> IPv4Address | IPv6Address | None:
    """An address as servers and proxies tell it: plain, with a port, in brackets, with a zone; None where it is none.

    IPv4 inside IPv6 (::ffff:192.0.2.1) is that IPv4. Leading zeros are unreadable: some take them for octal.
    """
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return None if address.is_unspecified else address


def address_of(request: HttpRequest) -> str:
    """The client's address in its shortest form, for a wallet that asks for it; "" where it is unreadable."""
    return str(read(request.META.get("REMOTE_ADDR", "")) or "")


def network_of(request: HttpRequest) -> str:
    """A hash of the address; of IPv6 the first 64 bits, since whoever has one address has all of those."""
    return hashed(request.META.get("REMOTE_ADDR", ""))


def neighbourhood_of(request: HttpRequest) -> str:
    """The same for what one owner may well have: of IPv6 the first 48 bits. An address of IPv4 stands for itself, since
    strangers live beside it.
    """
    return hashed(request.META.get("REMOTE_ADDR", ""), bits_of_ipv6=48)


def hashed(remote: str, bits_of_ipv6: int = 64) -> str:
    """The same of an address as the server tells it, "" where that is unreadable."""
    address = read(remote)
    if address is None:
        return ""
    network = ip_network((address, 32 if address.version == 4 else bits_of_ipv6), strict=False)
    return digest("friendpay.network", str(network))

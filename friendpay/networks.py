"""Where a request comes from, as a hash: enough to count by, and no address is kept."""

from ipaddress import ip_address, ip_network

from django.http import HttpRequest
from django.utils.crypto import salted_hmac


def network_of(request: HttpRequest) -> str:
    """A hash of the address; of IPv6 the first 64 bits, since whoever has one address has all of those."""
    return hashed(request.META.get("REMOTE_ADDR", ""))


def neighbourhood_of(request: HttpRequest) -> str:
    """The same for what one owner may well have: of IPv6 the first 48 bits. An address of IPv4 stands for itself, since
    strangers live beside it.
    """
    return hashed(request.META.get("REMOTE_ADDR", ""), bits_of_ipv6=48)


def hashed(remote: str, bits_of_ipv6: int = 64) -> str:
    """The same of an address as the server tells it, "" where it knows none."""
    address = ip_address(remote or "::")
    network = ip_network((address, 32 if address.version == 4 else bits_of_ipv6), strict=False)
    return salted_hmac("friendpay.network", str(network)).hexdigest()

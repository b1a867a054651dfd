"""Where a request comes from, as a hash: enough to count by, and no address is kept."""

from ipaddress import ip_address, ip_network

from django.http import HttpRequest
from django.utils.crypto import salted_hmac


def network_of(request: HttpRequest) -> str:
    """A hash of the address; of IPv6 the first 64 bits, since whoever has one address has all of those."""
    return _hashed(request, 32, 64)


def neighbourhood_of(request: HttpRequest) -> str:
    """The same for what one owner may well have: of IPv6 the first 48 bits. An address of IPv4 stands for itself, since
    strangers live beside it.
    """
    return _hashed(request, 32, 48)


def _hashed(request: HttpRequest, bits: int, bits_of_ipv6: int) -> str:
    address = ip_address(request.META.get("REMOTE_ADDR") or "::")
    network = ip_network((address, bits if address.version == 4 else bits_of_ipv6), strict=False)
    return salted_hmac("friendpay.network", str(network)).hexdigest()

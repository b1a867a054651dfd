"""Ask a friend to pay: a payment provider for pretix."""

__version__ = "0.1.0"

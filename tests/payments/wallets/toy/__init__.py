"""Toy Pay: the smallest whole wallet, as a package outside of friendpay would bring it. See ../test_toy.py."""

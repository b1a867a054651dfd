"""Wallets, a folder each: plain data in and out, no table, and none knows another."""

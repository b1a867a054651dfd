"""`python -m bench.fresh`: docs/deploy.md walked word for word on a fresh Debian with systemd at work."""

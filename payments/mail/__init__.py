"""Mail to people who asked for it."""

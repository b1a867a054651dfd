"""Every status change, and all that moves money."""

"""What the whole API shares: the API object, its description, and how it says no."""

"""Small tools below everything: they know nothing of shops and payments."""

"""How a request travels: link, text, QR code, poster, share code; and whether it can be trusted."""

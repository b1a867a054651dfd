"""How far requests come, counted without saying anything about people."""

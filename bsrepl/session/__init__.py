"""A text becomes a value, without a terminal."""

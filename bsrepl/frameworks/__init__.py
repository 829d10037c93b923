"""What is installed: found by reading source text, remembered in a cache, imported when used."""

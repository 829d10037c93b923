"""How files become modules, and what an import in one of them means."""

"""How files become modules: executed aside, what an import in one of them means, and what they must not change."""

"""Brainsmith, installed or not: its source, its registry, and a stand-in for its imports."""

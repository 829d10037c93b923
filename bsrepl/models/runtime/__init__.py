"""Executing models, whole, node by node and in parts."""

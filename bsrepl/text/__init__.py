"""Styled text, columns, number formats, the terminal, tracebacks, and values as text."""

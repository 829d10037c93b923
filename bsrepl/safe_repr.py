"""The text of any object, whatever its own `__repr__` does."""

from __future__ import annotations


def safe_repr(value: object) -> str:
    """`repr(value)`; if that raises, what it raises: `<Fold whose __repr__ raises ValueError: no>`."""
    try:
        return repr(value)
    except (Exception, SystemExit) as error:
        try:
            said = f": {error}"
        except Exception:  # its __str__ raises too
            said = ""
        return f"<{type(value).__qualname__} whose __repr__ raises {type(error).__name__}{said}>"

"""The seeds of random cases."""

from __future__ import annotations

import sys


def seeds(count: int) -> range:
    """So many, and others on each version of Python: what the runs on several of them try adds up."""
    minor = sys.version_info.minor
    return range(minor * count, (minor + 1) * count)

"""Which files count together."""

from __future__ import annotations

import pytest

from bsrepl.reload.imports.import_graph import groups


@pytest.mark.parametrize(
    ("now", "before", "failed", "parts"),
    [
        ({}, {}, "", "a b c d"),
        ({"a": "b"}, {}, "", "ab c d"),
        ({"a": "b", "c": "d"}, {}, "", "ab cd"),
        ({"a": "b", "c": "b"}, {}, "", "abc d"),
        ({"a": "b", "b": "c", "c": "a"}, {}, "", "abc d"),
        ({"a": "x"}, {}, "", "a b c d"),
        # what a file no longer imports does not join it, unless it failed and lives on
        ({}, {"a": "b"}, "", "a b c d"),
        ({}, {"a": "b"}, "a", "ab c d"),
        ({}, {"a": "b"}, "b", "a b c d"),
        # nor what is joined to a failed file, which lives on with it
        ({"a": "b"}, {"b": "c", "c": "d"}, "a", "abcd"),
        ({"a": "b"}, {"b": "c", "c": "d"}, "d", "ab c d"),
    ],
)
def test_groups(now: dict[str, str], before: dict[str, str], failed: str, parts: str) -> None:
    found = groups("abcd", now, before, list(failed))
    assert " ".join("".join(sorted(part)) for part in found) == parts

"""Whether a step printed what its lesson says: whatever is different each time, and how lines were broken, left out."""

from __future__ import annotations

import re

from ..text.patterns import late_pattern

#: What is different each time: times, addresses, numbers of commands, magnitudes.
_VARYING = (
    (late_pattern(r"\b\d+(\.\d+)? (ns|us|ms|s)\b"), "TIME"),
    (late_pattern(r"\b0x[0-9a-f]+\b"), "0x"),
    (late_pattern(r"<command \d+>"), "<command>"),
    (late_pattern(r"\d(\.\d+)?e[+-]\d\d"), "NUMBER"),
)
_ANYTHING = "..."  # stands for any text
_TRACEBACK = "Traceback (most recent call last):"


def same_output(expected: str, got: str) -> bool:
    """Whether an output is the one that is expected.

    `...` in what is expected stands for any text, and a traceback for its last line. White space does not count: a
    terminal of another width breaks lines elsewhere.
    """
    if expected.lstrip().startswith(_TRACEBACK):
        expected = expected.rstrip().rpartition("\n")[2]
    wanted, printed = _steady(expected), _steady(got)
    if _ANYTHING not in wanted:
        return wanted == printed
    pattern = ".*".join(re.escape(part.strip()).replace(r"\ ", r"\s+") for part in wanted.split(_ANYTHING))
    return re.fullmatch(rf"\s*{pattern}\s*", printed, re.DOTALL) is not None


def first_difference(expected: str, got: str) -> tuple[str, str]:
    """The first lines that differ, of two outputs that are not the same; empty texts otherwise."""
    if same_output(expected, got):
        return "", ""
    old, new = (list(filter(None, map(_steady, text.splitlines()))) for text in (expected, got))
    for number in range(max(len(old), len(new))):
        pair = [lines[number] if number < len(lines) else "nothing" for lines in (old, new)]
        if pair[0] != pair[1] and not same_output(pair[0], pair[1]):
            return pair[0], pair[1]
    return "", ""


def _steady(text: str) -> str:
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    return " ".join(text.split())

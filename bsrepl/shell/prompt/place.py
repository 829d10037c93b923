"""Where in a text the cursor is: in code, in a string, or in a comment."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ...text.patterns import late_pattern

_TOKEN = late_pattern(r"#[^\n]*|(?<!\w)(?P<prefix>[A-Za-z]{0,2})(?P<quote>\"{3}|'{3}|\"|')|\"{3}|'{3}|\"|'")
_BODY = {  # what stands in a string, up to its end
    '"': late_pattern(r'(?:[^"\\\n]|\\.)*', re.DOTALL),
    "'": late_pattern(r"(?:[^'\\\n]|\\.)*", re.DOTALL),
    '"""': late_pattern(r'(?:[^"\\]|\\.|"(?!""))*', re.DOTALL),
    "'''": late_pattern(r"(?:[^'\\]|\\.|'(?!''))*", re.DOTALL),
}
_REPLACED = late_pattern(
    r"(?:[^{]|\{\{|\{[^{}]*\})*\{(?P<code>[^{}]*)", re.DOTALL
)  # up to the code that is open in an f-string
_VISIBLE = late_pattern(r"[^\n]")


class Place(NamedTuple):
    """Where the cursor is, behind a text."""

    code: str  # the text, with what strings and comments that have ended hold as spaces
    quote: int | None = None  # where the string begins that the cursor is in, at its quotation mark
    is_comment: bool = False

    @property
    def is_code(self) -> bool:
        return self.quote is None and not self.is_comment

    def is_string(self, match: re.Match[str]) -> bool:
        """Whether the group `quote` of a match is the quotation mark of the string that the cursor is in."""
        return self.quote is not None and self.quote == match.start("quote")


@lru_cache(maxsize=4)  # several completers ask for the same text
def place(text: str) -> Place:
    """Where the cursor is that stands behind a text. The code in the braces of an f-string is code."""
    blanked: list[str] = []
    start = 0
    while (token := _TOKEN.search(text, start)) is not None:
        blanked.append(text[start : token.start()])
        if token[0][0] == "#":
            if token.end() == len(text):
                return Place("".join(blanked) + token[0], is_comment=True)
            blanked.append(_blank(token[0]))
            start = token.end()
            continue
        quote = token["quote"] or token[0]
        body = _BODY[quote].match(text, token.end())
        end = body.end() if body is not None else token.end()
        if end == len(text):
            return _open("".join(blanked) + token[0], text[token.end() :], len(quote), token["prefix"] or "")
        blanked += [token[0], _blank(text[token.end() : end]), text[end : end + len(quote)]]
        start = end + len(quote)
    return Place("".join(blanked) + text[start:])


def _open(before: str, body: str, quotes: int, prefix: str) -> Place:
    """Where the cursor is in a string that is not closed."""
    replaced = _REPLACED.fullmatch(body) if "f" in prefix.lower() else None
    if replaced is None:
        return Place(before + body, len(before) - quotes)
    inner = place(replaced["code"])
    hidden = len(before) + replaced.start("code")
    return inner._replace(code=" " * hidden + inner.code, quote=None if inner.quote is None else inner.quote + hidden)


def _blank(text: str) -> str:
    return _VISIBLE.sub(" ", text)

"""Python source as styled lines."""

from __future__ import annotations


def python_lines(source: str) -> list[list[tuple[str, str]]]:
    """The lines of a source as (style, text) pairs; the styles are those of `terminal.STYLES`."""
    from pygments.lexers.python import PythonLexer  # only now, to be quick at the prompt
    from pygments.token import Token

    styles = {
        Token.Comment: "dim",
        Token.Keyword: "changed",
        Token.Literal.String: "added",
        Token.Name.Decorator: "path",
        Token.Name.Class: "bold",
        Token.Name.Function: "bold",
    }
    highlighted: list[list[tuple[str, str]]] = [[]]
    for token, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        style = next((style for kind, style in styles.items() if token in kind), "")
        first, *others = text.split("\n")
        highlighted[-1].append((style, first))
        highlighted += [[(style, other)] for other in others]
    return highlighted

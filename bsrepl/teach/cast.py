"""A session as an asciicast: typed and printed again by the players of asciinema.

https://docs.asciinema.org/manual/asciicast/v2/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import TYPE_CHECKING

from ..text.styled import Text, plain
from ..text.terminal import Terminal
from .pace import KEY, skimming

if TYPE_CHECKING:
    from .recording import Entry

_LONGEST = 3.0  # seconds that a command is waited for
_PROMPTS = ">>> ", "... "


def cast(entries: Iterable[Entry], width: int, height: int) -> str:
    """The lines of an asciicast of version 2: a header, and what appears when, in seconds.

    Commands are typed at the pace at which lessons are played; each takes as long as it took, but for long ones.
    The last line is a marker, whose label and end are left to be written.
    """
    header = {"version": 2, "width": width, "height": height, "title": "Recorded by bsrepl"}
    lines = [json.dumps(header)]
    now = 0.0
    for pause, text in _events(entries):
        now += pause
        if not text:
            continue
        lines.append(json.dumps([round(now, 6), "o", text.replace("\n", "\r\n")]))
    return "\n".join([*lines, f'[{round(now, 6)}, "m", "'])


def _events(entries: Iterable[Entry]) -> Iterator[tuple[float, str]]:
    """What appears, and how many seconds after what appeared before it."""
    for entry in entries:
        for number, line in enumerate(entry.code.strip("\n").split("\n")):
            yield 0.0, _painted([("bold", _PROMPTS[min(number, 1)])])
            for key in line:
                yield KEY, key
            yield KEY, "\n"
        shown = entry.screen or [("", entry.output)]
        end = "" if plain(shown).endswith("\n") or not plain(shown) else "\n"
        yield min(entry.seconds, _LONGEST), _painted([*shown, ("", end)])
        yield skimming(entry.output), ""


def _painted(text: Text) -> str:
    stream = StringIO()
    Terminal(stream, color=True).write(text)
    return stream.getvalue()

"""What a key, an empty command and a completion cost."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from prompt_toolkit.completion import CompleteEvent, DummyCompleter
from prompt_toolkit.document import Document

from bsrepl.registry.namespaces import Namespace
from bsrepl.shell.prompt.completion import NamespaceCompleter

from .plugins import filled
from .rows import Effort, Row, alone, beside, in_turn, timed
from .shells import CURSOR_POSITION_REQUEST, IPYTHON, OWN, PTPYTHON, Started


def typing(effort: Effort) -> Iterator[Row]:
    """Milliseconds until a key is echoed, and from Enter after an empty command, `pass`, to the next prompt."""
    for name, measure in (("a key, until it is echoed", keys), ("pass, until the next prompt", commands)):
        with Started(OWN) as own, Started(PTPYTHON) as ptpython, Started(IPYTHON) as ipython:
            shells = (own, ptpython, ipython)
            for shell in shells:
                shell.await_prompt()
            samples = in_turn(effort.runs(11), *(lambda shell=shell: measure(shell) for shell in shells))  # noqa: B023
        yield beside(name, "ms", samples[0], "bare ptpython", samples[1], 1.25)
        yield beside(name, "ms", samples[0], "IPython", samples[2])


def keys(shell: Started) -> float:
    """The median of a few keys, each typed when all is quiet; what was typed is then erased."""
    taken = []
    for key in (b"j", b"x", b"q"):
        shell.settle()
        taken.append(1e3 * shell.type(key, until=key))
    shell.settle()
    shell.type(b"\x15", until=b"")
    shell.settle()
    return statistics.median(taken)


def commands(shell: Started) -> float:
    shell.settle()
    shell.type(b"pass", until=b"s")
    shell.settle()
    return 1e3 * shell.type(b"\r", until=CURSOR_POSITION_REQUEST)  # each prompt begins with one


def completing(effort: Effort) -> Iterator[Row]:
    """Milliseconds for the completions of one keystroke among 100,000 plugins, or a tenth of them in a hurry."""
    registry = filled(effort.many)
    names = {"tfm": Namespace(registry, "transform")}
    completer = NamespaceCompleter(registry, lambda: names, DummyCompleter())
    for typed in ("tfm.", "tfm.P7", "tfm.7", 'tfm["P7', 'tfm.find(stage="s7', 'tfm.find(name="P7'):
        document = Document(typed)
        taken = timed(lambda: list(completer.get_completions(document, CompleteEvent())), 1, effort.runs(15))  # noqa: B023
        yield alone(f"N plugins, Tab after {typed}", "ms", [1e3 * each for each in taken], 30, effort.many)

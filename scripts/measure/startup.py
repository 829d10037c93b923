"""How long it takes until one can type."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from .plugins import PLUGIN
from .rows import Effort, Row, beside, in_turn
from .shells import IPYTHON, OWN, PTPYTHON, PYTHON, until_echo

#: ptpython, with all of QONNX imported before the prompt: what listing by importing costs.
EAGER = """
import pkgutil, importlib, qonnx.transformation
for each in pkgutil.walk_packages(qonnx.transformation.__path__, "qonnx.transformation."):
    importlib.import_module(each.name)
from ptpython.entry_points.run_ptpython import run
run()
"""


def prompt(effort: Effort) -> Iterator[Row]:
    """Seconds from starting a process until a key that is typed at its first prompt is echoed, in a pseudo-terminal."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(100):
            Path(folder, f"plugin_{number:03}.py").write_text(PLUGIN.format(number))
        peers = {
            "bare ptpython": PTPYTHON,
            "IPython": IPYTHON,
            "python": PYTHON,
            "ptpython, QONNX imported": ["-c", EAGER],
        }
        shells = [OWN, *peers.values(), [*OWN, folder]]
        ours, *theirs, many = in_turn(effort.runs(9), *(lambda shell=shell: until_echo(shell) for shell in shells))
    for (peer, _), samples in zip(peers.items(), theirs, strict=True):
        most = 1.05 if peer == "bare ptpython" else None
        yield beside("first prompt, QONNX listed", "s", ours, peer, samples, most)
    yield beside("first prompt, 100 plugin files", "s", many, "without files", ours)

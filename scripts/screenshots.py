"""The README's screenshots: a real shell in a pseudo-terminal, what it showed drawn as SVG. Nothing is made up.

scripts/take-screenshots    writes scripts/screenshots/*.svg anew
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from html import escape
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "scripts" / "screenshots"
sys.path.insert(0, str(ROOT))
from tests.pty_session import PtySession  # noqa: E402

COLUMNS, ROWS = 100, 60
CELL, LINE, MARGIN = 8.4, 18, 14  # pixels: width of a character, height of a line, the frame
#: The colours of a terminal, sixteen of them, as xterm names them.
COLORS = {
    "black": "#1e222a", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b", "blue": "#61afef",
    "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#abb2bf", "brightblack": "#7f848e", "default": "#d7dae0",
    "brightred": "#e06c75", "brightgreen": "#98c379", "brightblue": "#61afef", "brightmagenta": "#c678dd",
    "brightcyan": "#56b6c2", "brightwhite": "#ffffff", "brightbrown": "#e5c07b",
}  # fmt: skip
BACKGROUND = "#1e222a"
FONT = 'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"'

PLUGIN = """\
from qonnx.transformation.base import Transformation


@transform(stage="{stage}")
class FoldTaps(Transformation):
    def apply(self, model):
{body}        return model, False
"""
BODY = """\
        for node in model.get_nodes_by_op_type("Identity"):
            model.graph.node.remove(node)
"""
WRONG = """\
        for node in model.get_nodes_by_op_type("Relu"):
            node.op_type = "Elu"
"""


class Terminal(PtySession):
    """A shell in a terminal that knows what it shows."""

    def __init__(self, *arguments: str, cwd: Path, columns: int) -> None:
        self.screen = pyte.Screen(columns, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        self._fed = 0
        super().__init__(*arguments, cwd=cwd, columns=columns, rows=ROWS)

    def cursor(self) -> tuple[int, int]:
        self.feed_screen()
        return self.screen.cursor.y + 1, self.screen.cursor.x + 1

    def feed_screen(self) -> None:
        """Brings the screen up to what came."""
        raw = self.raw
        self._stream.feed(raw[self._fed :])
        self._fed = len(raw)


def session(shell: Terminal, folder: Path) -> None:
    """A pass is saved and applied; saved again, it computes something else; saved with a slip, it is kept."""
    path = folder / "fold.py"
    shell.expect(">>>", "tfm 65")
    shell.enter('m = load("mnist-conv")')
    shell.expect(">>>", "tfm 65")
    path.write_text(PLUGIN.format(stage="cleanup", body=""))
    shell.expect("+ tfm.FoldTaps", ">>>", "tfm 66")
    shell.enter("m = m.transform(tfm.LowerConvsToMatMul())")
    shell.expect("OK  same outputs", ">>>", "tfm 66")
    path.write_text(PLUGIN.format(stage="topology_opt", body=WRONG))
    shell.expect("~ tfm.FoldTaps", ">>>", "tfm 66")
    shell.enter("m = m.transform(tfm.FoldTaps())")
    shell.expect("DIFFERENT", ">>>", "tfm 66")
    path.write_text(PLUGIN.format(stage="topology_opt", body="        oops(\n"))
    shell.expect("failed fold.py", "kept the previous version", "!>>", "failing")


def model(shell: Terminal, folder: Path) -> None:
    """A pass on a model: what it did to the graph, and that the model computes the same; then a whole pipeline."""
    shell.expect(">>>", "tfm 65")
    shell.enter('m = steps.qonnx.cleanup(load("mnist-conv"))')
    shell.expect(">>>", "tfm 65")
    shell.enter("m = m.transform(tfm.LowerConvsToMatMul())")
    shell.expect("OK  same outputs", ">>>", "tfm 65")
    shell.enter("trace(m, [tfm.GiveUniqueNodeNames, tfm.InferDataTypes, tfm.FoldConstants])")
    shell.expect("FoldConstants", ">>>", "tfm 65")


def graph(shell: Terminal, folder: Path) -> None:
    """A graph, and what a pass did to it, drawn as lanes; the same as a picture."""
    shell.expect(">>>", "tfm 65")
    shell.enter('m = steps.qonnx.cleanup(load("sdp"))')
    shell.expect(">>>", "tfm 65")
    shell.enter("show(m)")
    shell.expect("output  global_out", ">>>", "tfm 65")
    shell.enter('n = steps.qonnx.cleanup(load("mnist-conv"))')
    shell.enter("n = n.transform(tfm.LowerConvsToMatMul()).transform(tfm.GiveUniqueNodeNames())")
    shell.expect("OK  same outputs", ">>>", "tfm 65")
    shell.type("\x0c")  # clears the screen
    shell.enter('diff(before("n"), n)')
    shell.expect("OK  same outputs", "5 nodes", ">>>", "tfm 65")
    shell.enter('draw(_, "difference.svg")')
    shell.expect("has the drawing", ">>>", "tfm 65")
    (folder / "difference.svg").replace(FOLDER / "difference.svg")


def board(shell: Terminal, folder: Path) -> None:
    """The board, with the benchmark measured."""
    shell.expect(">>>", "tfm 65")
    (folder / "fold.py").write_text(PLUGIN.format(stage="cleanup", body=BODY))
    shell.expect("+ tfm.FoldTaps", ">>>", "tfm 66")
    shell.enter("bench()")
    shell.expect("Measured now", ">>>", "tfm 66")
    shell.type("\x0c")  # clears the screen
    shell.enter("status()")
    shell.expect("faster", "reading it", ">>>", "tfm 66")


SCENES: dict[str, tuple[Callable[[Terminal, Path], None], tuple[str, ...]]] = {
    "session": (session, ("fold.py",)),
    "model": (model, ()),
    "graph": (graph, ()),
    "board": (board, ("fold.py",)),
}


def taken(scene: Callable[[Terminal, Path], None], arguments: tuple[str, ...], columns: int) -> pyte.Screen:
    """What the terminal shows at the end of a scene."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for argument in arguments:
            (folder / argument).write_text("")
        shell = Terminal("-q", *arguments, cwd=folder, columns=columns)
        try:
            scene(shell, folder)
        finally:
            shell.close()
    shell.feed_screen()
    return shell.screen


def drawn(screen: pyte.Screen) -> str:
    """A screen as SVG, without the empty lines at its end."""
    rows = [screen.buffer[number] for number in range(screen.lines)]
    used = [any(row[column].data.strip() for column in range(screen.columns)) for row in rows]
    shown = [row for row, is_used in zip(rows, used, strict=True) if is_used]
    width, height = screen.columns * CELL + 2 * MARGIN, len(shown) * LINE + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" font-size="14" {FONT}>',
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
    ]
    for number, row in enumerate(shown):
        parts += _line([row[column] for column in range(screen.columns)], MARGIN + number * LINE)
    return "\n".join([*parts, "</svg>\n"])


def _line(cells: list[pyte.screens.Char], top: float) -> list[str]:
    """One line: runs of characters that look the same, each with its background if it has one."""
    parts = []
    start = 0
    while start < len(cells):
        end = start + 1
        while end < len(cells) and cells[end][1:] == cells[start][1:]:
            end += 1
        text, cell = "".join(each.data for each in cells[start:end]), cells[start]
        front, back = (COLORS.get(name, f"#{name}") for name in (cell.fg, cell.bg))
        if cell.reverse:
            front, back = BACKGROUND, front
        x, width = MARGIN + start * CELL, (end - start) * CELL
        if cell.reverse or cell.bg != "default":
            parts.append(f'<rect x="{x:g}" y="{top:g}" width="{width:g}" height="{LINE}" fill="{back}"/>')
        if text.strip():
            weight = ' font-weight="bold"' if cell.bold else ""
            parts.append(
                f'<text x="{x:g}" y="{top + 13:g}" fill="{front}"{weight} textLength="{width:g}" '
                f'xml:space="preserve">{escape(text)}</text>'
            )
        start = end
    return parts


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for name, (scene, arguments) in SCENES.items():
        for columns in (COLUMNS, 60):
            suffix = "" if columns == COLUMNS else f"-{columns}"
            picture = drawn(taken(scene, arguments, columns))
            picture = re.sub(r"/tmp/tmp\w+/", "", picture)
            (FOLDER / f"{name}{suffix}.svg").write_text(picture, encoding="utf-8")
            print(f"{name}{suffix}.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())

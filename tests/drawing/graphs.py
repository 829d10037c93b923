"""Small graphs to draw, and drawings read back."""

from __future__ import annotations

import random
from collections.abc import Sequence

from onnx import ModelProto, TensorProto, helper

from bsrepl.drawing.report import drawing
from bsrepl.drawing.sketch import of_graph
from bsrepl.graphdiff.viewing import view
from bsrepl.text.styled import plain

Line = tuple[str, str, str]  # op type, inputs, outputs
Edges = set[tuple[str, str]]


def graph(lines: Sequence[Line], inputs: str = "x", outputs: str = "y") -> ModelProto:
    """A model whose nodes are called as their first output: `("Add", "a b", "c")`."""
    nodes = [helper.make_node(op, reads.split(), makes.split(), name=makes.split()[0]) for op, reads, makes in lines]
    ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in names.split()]
            for names in (inputs, outputs)]  # fmt: skip
    return helper.make_model(helper.make_graph(nodes, "test", *ends))


def constant_output() -> ModelProto:
    """A graph of one Constant node, which makes its output."""
    node = helper.make_node("Constant", [], ["y"], name="one", value_floats=[1.0, 2.0])
    return helper.make_model(helper.make_graph([node], "constant", [], [helper.make_tensor_value_info("y", 1, [2])]))


def drawn(model: ModelProto, width: int = 100, height: int | None = None) -> str:
    return plain(drawing(of_graph(view(model)), width, height))


def random_graph(rng: random.Random, count: int) -> tuple[ModelProto, Edges]:
    """A graph without cycles, and its edges: nodes of one to three outputs that read up to four tensors."""
    lines: list[Line] = []
    tensors = ["x0", "x1"]
    for number in range(count):
        reads = rng.sample(tensors[-8:], rng.randrange(0 if number else 1, min(4, len(tensors))))
        makes = [f"n{number}", *(f"n{number}.{port}" for port in range(rng.choice((0, 0, 0, 1, 2))))]
        lines.append(("Op", " ".join(reads), " ".join(makes)))
        tensors += makes
    read = {name for _, reads, _ in lines for name in reads.split()}
    unread = [name for name in tensors if name not in read and not name.startswith("x")] or tensors[-1:]
    outputs = rng.sample(unread, rng.randrange(1, len(unread) + 1))
    edges = {(name.partition(".")[0], makes.split()[0]) for _, reads, makes in lines for name in reads.split()}
    edges |= {(name.partition(".")[0], f"output {name}") for name in outputs}
    return graph(lines, "x0 x1", " ".join(outputs)), edges


def edges_of(text: str) -> Edges:
    """The edges that a drawing shows, found by following its lanes from line to line."""
    edges: Edges = set()
    lanes: dict[int, str] = {}  # column -> what made the tensor in it
    for line in text.splitlines():
        head = line[: max(map(line.rfind, "○●◎")) + 1]
        rest = line[len(head) :]
        tail = rest[: len(rest) - len(rest.lstrip("─┤╯┴┬╮┼│ "))]
        row = (head + tail).rstrip().ljust(400)
        kind, name = rest[len(tail) :].split("  ")[:2]
        label = f"output {name}" if kind == "output" else name
        column = len(head) - 1
        lanes = {at: maker for at, maker in lanes.items() if row[at] not in " ─○┬╮"}
        opened: dict[int, str] = {}
        if row[column] in "●◎" and column in lanes:
            edges.add((lanes.pop(column), label))
        for step in (-2, 2):
            at = column
            while at + step // 2 >= 0 and row[at + step // 2] == "─":
                at += step
                if row[at] in "├┤":
                    edges.add((lanes[at], label))
                elif row[at] in "╰╯┴":
                    edges.add((lanes.pop(at), label))
                elif row[at] in "┬╮":
                    opened[at] = label
        lanes.update(opened)
        lanes[column] = label
    return edges

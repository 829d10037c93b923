"""Graphs drawn as lanes: what they look like, and that nothing of a graph is missing."""

from __future__ import annotations

import random

import pytest
from onnx import ModelProto

from tests.graphdiff.test_difference import THEN, with_branches
from tests.graphdiff.test_words import local

from .graphs import Line, constant_output, drawn, edges_of, graph, random_graph

RUN: list[Line] = [("Relu", f"n{number}", f"n{number + 1}") for number in range(50)]
FAN: list[Line] = [("Relu", "x", f"n{number}") for number in range(100)]
ALL = " ".join(result for *_, result in FAN)

DRAWINGS: dict[str, tuple[ModelProto, str]] = {
    "a chain": (
        graph([("Conv", "x", "a"), ("Relu", "a", "y")]),
        """
        ○  input  x  [1,4]
        ●  Conv  a
        ●  Relu  y  -> [1,4]
        ◎  output  y  [1,4]
        """,
    ),
    "fork and join": (
        graph([("Conv", "x", "a"), ("Relu", "a", "b"), ("Tanh", "a", "c"), ("Add", "b c", "y")]),
        """
        ○  input  x  [1,4]
        ●  Conv  a
        ├─●  Relu  b
        ● │  Tanh  c
        ●─╯  Add  y  -> [1,4]
        ◎  output  y  [1,4]
        """,
    ),
    "nested branches": (
        graph([("Relu", "x", "a"), ("Conv", "a", "b"), ("Exp", "b", "c"), ("Neg", "b", "d"), ("Mul", "c d", "e"),
               ("Add", "a e", "y")]),
        """
        ○  input  x  [1,4]
        ●  Relu  a
        ├─●  Conv  b
        │ ├─●  Exp  c
        │ ● │  Neg  d
        │ ●─╯  Mul  e
        ●─╯  Add  y  -> [1,4]
        ◎  output  y  [1,4]
        """,
    ),
    "a skip over 50 nodes": (
        graph([("Conv", "x", "n0"), *RUN, ("Add", "n50 n0", "y")]),
        """
        ○  input  x  [1,4]
        ●  Conv  n0
        ├─●  Relu  n1
        │ ●  Relu  n2
        ⋮ ⋮  47 nodes: Relu 47
        │ ●  Relu  n50
        ●─╯  Add  y  -> [1,4]
        ◎  output  y  [1,4]
        """,
    ),
    "two inputs": (
        graph([("Relu", "p", "a"), ("Tanh", "q", "b"), ("MatMul", "a b", "y")], "p q"),
        """
        ○  input  p  [1,4]
        ●  Relu  a
        │ ○  input  q  [1,4]
        │ ●  Tanh  b
        ●─╯  MatMul  y  -> [1,4]
        ◎  output  y  [1,4]
        """,
    ),
    "an output that is read": (
        graph([("Relu", "x", "y"), ("Tanh", "y", "z")], "x", "y z"),
        """
        ○  input  x  [1,4]
        ●  Relu  y  -> [1,4]
        ├─◎  output  y  [1,4]
        ●  Tanh  z  -> [1,4]
        ◎  output  z  [1,4]
        """,
    ),
    "a node of three outputs": (
        graph([("Split", "x", "a b c"), ("Exp", "b", "d"), ("Concat", "a d c", "y")]),
        """
        ○  input  x  [1,4]
        ●─┬─╮  Split  a
        │ ● │  Exp  d
        ●─┴─╯  Concat  y  -> [1,4]
        ◎  output  y  [1,4]
        """,
    ),
    "a tensor read twice": (
        graph([("Relu", "x", "a"), ("Mul", "a a", "y")]),
        """
        ○  input  x  [1,4]
        ●  Relu  a
        ●  Mul  y  -> [1,4]
        ◎  output  y  [1,4]
        """,
    ),
    "two graphs in one": (
        graph([("Relu", "p", "y"), ("Exp", "q", "a"), ("Tanh", "a", "z")], "p q", "y z"),
        """
        ○  input  p  [1,4]
        ●  Relu  y  -> [1,4]
        ◎  output  y  [1,4]
          ○  input  q  [1,4]
          ●  Exp  a
          ●  Tanh  z  -> [1,4]
          ◎  output  z  [1,4]
        """,
    ),
    "an input that nothing reads": (
        graph([("Relu", "x", "y")], "x u"),
        """
        ○  input  u  [1,4]
          ○  input  x  [1,4]
          ●  Relu  y  -> [1,4]
          ◎  output  y  [1,4]
        """,
    ),
    "a cycle": (
        graph([("Add", "x b", "a"), ("Relu", "a", "b"), ("Tanh", "x", "y")]),
        """
        ○  input  x  [1,4]
        ├─●  Tanh  y  -> [1,4]
        │ ◎  output  y  [1,4]
        ●  Add  a  <- b
        ●  Relu  b
        """,
    ),
    "a split in a hundred": (
        graph([*FAN, ("Sum", ALL, "y")]),
        """
        ○  input  x  [1,4]
        ├─●  Relu  n0
        ├─┼─●  Relu  n1
        ├─┼─┼─●  Relu  n2
        ├─┼─┼─┼─●  Relu  n3
        ├─┼─┼─┼─┼─●  Relu  n4
        ├─┼─┼─┼─┼─┼─●  Relu  n5
        ├─┼─┼─┼─┼─┼─┼─●  Relu  n6
        ├─┼─┼─┼─┼─┼─┼─┼─●  Relu  n7
        ├─┼─┼─┼─┼─┼─┼─┼─┼─●  Relu  n8
        ├─┼─┼─┼─┼─┼─┼─┼─┼─┼─●  Relu  n9
        91 more nodes
        """,
    ),
    "sub-graphs": (
        with_branches(THEN, []),
        """
        ○  input  in  [1,4]
        ●  Relu  first
        │  else_branch:
        ├─●    Neg  n0  -> [1,4]
        │ │  then_branch:
        ● │    Exp  n0
        ● │    Sqrt  n1  -> [1,4]
        │ │ ○  input  c  [1,4]
        ●─┴─┤  If  b
        │   │  body:
        │ ○ │    input  i  [] int64
        1 more node
        """,
    ),
    "an output that is a constant": (
        constant_output(),
        """
        ◎  output  y  constant [1,2]  [2]
        """,
    ),
    "a local function": (
        local("Exp", "Tanh"),
        """
        ○  input  in  [1,4]
        ●  Relu  n0
        ●  Act  n1  -> [1,4]
        ◎  output  out  [1,4]
        function pkg.Act:
        ○    input  x
        ●    Exp  t0
        ●    Tanh  y
        ◎    output  y
        """,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("model", "expected"), DRAWINGS.values(), ids=DRAWINGS)
def test_what_a_graph_looks_like(model: ModelProto, expected: str) -> None:
    assert drawn(model, 60, 12).splitlines() == [line[8:] for line in expected.splitlines()[1:-1]]


def test_a_name_never_breaks_a_line() -> None:
    assert drawn(graph([("Re\nlu", "x", "a\x07b"), ("Exp", "a\x07b", "y")])) == drawn(
        graph([("Re\\nlu", "x", "a\\x07b"), ("Exp", "a\\x07b", "y")])
    )


@pytest.mark.parametrize("seed", range(60))
def test_each_node_and_each_edge_is_in_the_drawing(seed: int) -> None:
    rng = random.Random(seed)
    model, edges = random_graph(rng, rng.randrange(1, 40))
    text = drawn(model, 400)
    assert edges_of(text) == edges
    names = [line.split("  ")[-2 if "->" in line else -1] for line in text.splitlines() if "  Op  " in line]
    assert sorted(names) == sorted(node.name for node in model.graph.node)


@pytest.mark.parametrize("width", [100, 60, 40])
@pytest.mark.parametrize("seed", range(10))
def test_no_line_is_wider_than_the_screen_and_no_node_is_missing(seed: int, width: int) -> None:
    model, _ = random_graph(random.Random(seed), 120)
    lines = drawn(model, width).splitlines()
    assert max(map(len, lines)) <= width
    assert sum("  Op" in line for line in lines) == len(model.graph.node)


@pytest.mark.parametrize("height", [3, 10, 40])
def test_what_does_not_fit_the_screen_is_counted(height: int) -> None:
    model, _ = random_graph(random.Random(1), 200)
    lines = drawn(model, 80, height).splitlines()
    assert len(lines) == height
    shown = sum("  Op" in line for line in lines) + sum(
        int(line.split("  ")[1].split()[0]) for line in lines if "⋮" in line
    )
    assert lines[-1] == f"{200 - shown} more nodes"

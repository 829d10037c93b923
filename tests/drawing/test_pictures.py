"""Pictures in files: nothing of the graph is missing, nothing overlaps, nothing is fetched, nothing is executed."""

from __future__ import annotations

import json
import random
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from onnx import ModelProto, helper

from bsrepl.drawing import page
from bsrepl.drawing.layout import layers, layout
from bsrepl.drawing.sketch import NODE, of_graph
from bsrepl.graphdiff.difference import between
from bsrepl.graphdiff.viewing import view

from ..conftest import Screen
from .graphs import graph, random_graph

SVG = "{http://www.w3.org/2000/svg}"
MADE = "drawn by bsrepl"


def elements(text: str, kind: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(text).iter(f"{SVG}{kind}"))


def boxes(text: str) -> list[ElementTree.Element]:
    return [element for element in elements(text, "g") if element.get("class", "").startswith("box")]


@pytest.mark.parametrize("seed", range(20))
def test_each_node_is_a_box_and_no_two_boxes_overlap(seed: int) -> None:
    model, _ = random_graph(random.Random(seed), 60)
    text = page.svg(page.of_model(view(model), "random"), MADE)
    ends = len(model.graph.input) + len(model.graph.output)
    assert len(boxes(text)) == len(model.graph.node) + ends
    places = []
    for box in boxes(text):
        x, y = map(float, re.findall(r"-?\d+", str(box.get("transform"))))
        places.append((y, x, x + float(str(box.findall(f"{SVG}rect")[0].get("width")))))
    for (y, _, right), (other_y, left, _) in pairwise(sorted(places)):
        assert y != other_y or right < left


@pytest.mark.parametrize("seed", range(20))
def test_each_box_is_below_those_that_it_reads_from(seed: int) -> None:
    sketch = of_graph(view(random_graph(random.Random(seed), 80)[0]))
    levels, producers = layers(sketch), sketch.producers()
    for number, box in enumerate(sketch.boxes):
        assert all(levels[producers[tensor]] < levels[number] for tensor in box.reads)


def test_a_chain_is_straight_and_what_joins_it_stands_beside() -> None:
    names = ["x", "a", "b", "c", "y"]
    chain = [("Add", f"{read} w{read}", made) for read, made in pairwise(names)]
    sketch = of_graph(view(graph([*[("Quant", "", f"w{read}") for read in names[:-1]], *chain])))
    places = layout(sketch, layers(sketch), [100.0] * len(sketch.boxes))
    way = [
        places.x[at] for at, box in enumerate(sketch.boxes) if box.kind != NODE or box.graph.nodes[box.number].inputs
    ]
    assert max(way) - min(way) < 12


BEFORE = graph([("Relu", "x", "a"), ("Conv", "a", "b"), ("Tanh", "b", "c"), ("Exp", "c", "y")])
AFTER = graph([("Relu", "x", "a"), ("MatMul", "a", "b"), ("Sign", "b", "b2"), ("Tanh", "b2", "c"), ("Exp", "c", "y")])


def test_both_sides_of_a_difference_stand_at_one_height_and_say_what_changed() -> None:
    text = page.svg(page.of_change(between(BEFORE, AFTER), "both"), MADE)
    heights: dict[str, list[str]] = {}
    for box in boxes(text):
        op_type = str(box.find(f".//{SVG}tspan").text)  # type: ignore[union-attr]
        badge = "".join(element.text or "" for element in box.findall(f"{SVG}g/{SVG}text"))
        heights.setdefault(f"{badge}{op_type}", []).append(str(box.get("transform")).split(",")[1])
    assert {name: len(set(places)) for name, places in heights.items()} == dict.fromkeys(heights, 1)
    assert {name: len(places) for name, places in heights.items()} == {
        "input": 2, "Relu": 2, "\N{MINUS SIGN}Conv": 1, "+MatMul": 1, "+Sign": 1, "Tanh": 2, "Exp": 2, "output": 2,
    }  # fmt: skip


def unsafe() -> ModelProto:
    """A model whose names are markup and code."""
    return graph(
        [("Relu", "x", "</script><script>alert(1)</script>"), ("Exp", "</script><script>alert(1)</script>", "y")]
    )


@pytest.mark.parametrize("model", [unsafe(), random_graph(random.Random(0), 30)[0]])
def test_a_page_needs_nothing_and_executes_nothing_of_the_model(model: ModelProto) -> None:
    text = page.html(page.of_model(view(model), "<b>title</b>"), MADE)
    assert not re.search(r"(?:src|href)\s*=|url\(|@import|fetch\(|<b>|<script>alert", text)
    assert text.count("<script") == text.count("</script>") == 2
    known = json.loads(re.search(r'id="details">(.*?)</script>', text)[1])  # type: ignore[index]
    assert len(known) == text.count("data-box=")
    assert "prefers-color-scheme: dark" in text
    assert MADE in text


def test_a_model_is_drawn_at_the_prompt(screen: Screen, tmp_path: Path) -> None:
    screen.type("m = steps.qonnx.cleanup(load('mnist-conv'))")
    svg, html = tmp_path / "m.svg", tmp_path / "d.html"
    assert screen.type(f"draw('m', {str(svg)!r})") == f"{svg} has the drawing\n"
    title = boxes(svg.read_text(encoding="utf-8"))[0].find(f"{SVG}title")
    assert title is not None
    lines = str(title.text).splitlines()
    assert lines[0] == "Conv  Conv_0"
    assert lines[-1] == "output 0: Conv_0_out0  [1,8,28,28]"
    assert "input 1: Conv_0_param0  [8,1,5,5] float  min -0.973, max 1.02, mean -0.00736, std 0.337" in lines
    assert "kernel_shape: [5, 5]" in lines
    assert screen.type(f"draw(diff(m, m.transform(tfm.LowerConvsToMatMul())), {str(html)!r})").endswith(
        "has the drawing\n"
    )
    assert "11 -&gt; 17 nodes, 2 rewrites, 9 untouched" in html.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("m.png", 'a drawing is an .svg or an .html file, not m.png: draw(m, "m.svg")'),
        ("nowhere/m.svg", "cannot be written: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_a_drawing(screen: Screen, tmp_path: Path, file: str, message: str) -> None:
    screen.type("m = load('mnist-conv')")
    assert message in " ".join(screen.type(f"draw(m, {str(tmp_path / file)!r})").split())


def test_no_shape_beside_a_line_is_cut_off_at_the_right() -> None:
    shape = ["batch_of_images", "channels", "height_of_it"]
    ends = [helper.make_tensor_value_info(name, 1, shape) for name in ("x", "y")]
    between_them = [helper.make_tensor_value_info("a", 1, shape)]
    nodes = [helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Relu", ["a"], ["y"])]
    model = helper.make_model(helper.make_graph(nodes, "long", ends[:1], ends[1:], value_info=between_them))
    text = page.svg(page.of_model(view(model), "long"), MADE)
    (drawn,) = ElementTree.fromstring(text).iter(f"{SVG}svg")
    sizes = [element for element in elements(text, "text") if element.get("class") == "size"]
    assert sizes
    for size in sizes:
        assert float(str(size.get("x"))) + 6 * len(str(size.text)) < float(str(drawn.get("width")))

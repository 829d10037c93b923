"""What the measurements are told as, and that the manual tells what was measured."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from measure import report
from measure.picture import picture
from measure.rows import Effort, Row, alone, beside, from_json, in_turn, spread, tenfold

ROOT = Path(__file__).parent.parent
RESULT = json.loads((ROOT / "scripts/measured/rows.json").read_text())
ROWS = [from_json(row) for row in RESULT["rows"]]


@pytest.mark.parametrize(
    ("row", "ratio", "target", "met"),
    [
        (beside("a", "ms", [3, 1, 2], "it", [4, 4, 9], 0.5), 0.5, "ratio <= 0.5", True),
        (beside("a", "ms", [3, 1, 2.1], "it", [4, 4, 9], 0.5), 0.525, "ratio <= 0.5", False),
        (beside("a", "ms", [2], "it", [4]), 0.5, "", None),
        (alone("a", "us", [20], 20), None, "<= 20 us", True),
        (alone("a", "", [21], 20), None, "<= 20", False),
        (alone("a", "us", [20]), None, "", None),
    ],
)
def test_a_row_says_whether_its_target_is_met(row: Row, ratio: float | None, target: str, met: bool | None) -> None:
    assert (row.ratio, row.target, row.met) == (ratio, target, met)
    assert from_json(json.loads(json.dumps(row.as_json()))) == row


@pytest.mark.parametrize(
    ("samples", "width"), [([5], 0), ([4, 5, 6], 0.4), ([1, 4, 5, 6, 100], 50.5 / 5), ([0, 0, 0, 0], 0)]
)
def test_the_spread_is_that_of_the_middle_half(samples: list[float], width: float) -> None:
    assert spread(samples) == pytest.approx(width)


def test_samples_are_taken_in_turn_and_the_first_of_each_is_left_out() -> None:
    order: list[str] = []
    clock = iter(range(100))

    def sample(name: str) -> float:
        order.append(name)
        return next(clock)

    assert in_turn(2, lambda: sample("a"), lambda: sample("b")) == [[2, 4], [3, 5]]
    assert order == ["a", "b"] * 3


def test_growth_is_measured_in_turn_ten_of_the_smaller_beside_one_of_the_larger() -> None:
    order: list[str] = []
    assert len(tenfold(2, lambda: order.append("a"), lambda: order.append("b"))) == 2
    assert "".join(order) == ("a" * 10 + "b") * 3


@pytest.mark.parametrize(("seconds", "rounds"), [(0, 1), (25, 3), (40, 4), (100, 9)])
def test_what_takes_long_is_measured_less_often(seconds: float, rounds: int) -> None:
    clock = iter(range(0, 1_000, 10))
    (samples,) = in_turn(9, lambda: 1.0, seconds=seconds, clock=lambda: next(clock))
    assert len(samples) == rounds


def test_in_a_hurry_a_quarter_of_the_runs_is_enough() -> None:
    assert [Effort(True).runs(number) for number in (1, 9, 60)] == [2, 2, 15]
    assert Effort(False).runs(60) == 60


GROWING = [alone("find, N plugins", "us", [size / 10], size=size) for size in (10, 100, 1_000)]


def test_a_bar_is_longer_by_as_much_for_each_power_of_ten() -> None:
    drawn = report.bars([*GROWING, alone("else", "us", [1.0])])
    assert [line.count("#") for line in drawn.splitlines()[2:]] == [1, 11, 21]
    assert "find, N plugins, us" in drawn
    assert "else" not in drawn


def test_what_grows_as_its_size_does_is_a_straight_line() -> None:
    drawn = ET.fromstring(picture(GROWING))
    (line,) = drawn.iter("{http://www.w3.org/2000/svg}polyline")
    (x0, y0), (x1, y1), (x2, y2) = (map(float, corner.split(",")) for corner in line.attrib["points"].split())
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y1 - y0 == pytest.approx(y2 - y1, abs=0.2)
    assert x0 < x1 < x2
    assert y0 > y1 > y2


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [(9.234, "ns", "9.23 ns"), (1360, "ms", "1,360 ms"), (0.0712, "s", "0.0712 s"), (1, "", "1.00"), (0, "kB", "0 kB")],
)
def test_a_quantity_has_three_digits_that_count(value: float, unit: str, said: str) -> None:
    assert report.quantity(value, unit) == said


def test_the_manual_has_the_table_of_what_was_measured() -> None:
    page = (ROOT / "bsrepl" / "manual" / "costs.md").read_text()
    assert report.placed(page, report.markdown(RESULT, ROWS)) == page


def test_the_picture_is_of_what_was_measured() -> None:
    assert (ROOT / "scripts/measured/growth.svg").read_text() == picture(ROWS)


def test_what_was_measured_says_of_itself_what_follows_from_it() -> None:
    assert [row.as_json() for row in ROWS] == RESULT["rows"]


def test_what_was_measured_has_every_target() -> None:
    """Those of a prompt, an access, a search, a look, a save, a command, a long session, a discovery, a diff."""
    aimed_at = {row.series for row in ROWS if row.target}
    assert aimed_at >= {
        "first prompt, QONNX listed",
        "tfm.X",
        "find(stage=...), 10 hits, N plugins",
        "nothing changed, N files",
        "one of N files saved, beyond a look",
        "a command that changes nothing, above eval",
        "memory grown in N reloads",
        "every QONNX transformation, source read",
        "graph diff, N nodes, 17% rewritten",
    }

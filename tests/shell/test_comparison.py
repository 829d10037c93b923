"""`bsrepl --diff`: models, a series or a folder compared on the command line; what it prints, and the exit status."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from qonnx.transformation.general import GiveUniqueNodeNames
from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul

from bsrepl.models.collection import collected
from bsrepl.models.model_diff import compared
from bsrepl.models.process.prover import Prover
from bsrepl.models.series import Series, series
from bsrepl.models.workbench import load
from bsrepl.shell import comparison, options
from bsrepl.text.styled import plain

from ..command_line import forked
from ..conftest import EXECUTOR, Screen

pytestmark = pytest.mark.filterwarnings("ignore:.* has ops of qonnx")


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build of four steps left: the third has another bias, the fourth a node of hardware."""
    folder = tmp_path_factory.mktemp("intermediate_models")
    model = load("mnist-conv")
    model.save(str(folder / "tidy.onnx"))
    model = model.transform(LowerConvsToMatMul())
    model.save(str(folder / "lower.onnx"))
    model.set_initializer("Parameter194", model.get_initializer("Parameter194") * np.float32(1.05))
    model.save(str(folder / "bias.onnx"))
    (matmul, *_) = model.get_nodes_by_op_type("MatMul")
    matmul.op_type, matmul.domain = "MVAU_hls", "finn.custom_op.fpgadataflow.hls"
    model.save(str(folder / "hardware.onnx"))
    for second, step in enumerate(("tidy", "lower", "bias", "hardware"), 1):
        os.utime(folder / f"{step}.onnx", (second, second))
    return folder


@pytest.fixture(scope="module")
def build(trail: Path) -> Series:
    return series(collected(str(trail)), partial(compared, prove=Prover(EXECUTOR).verdict), lambda done, name: None)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["tidy.onnx", "tidy.onnx"], 0, "the graphs are the same"),
        (["tidy.onnx", "lower.onnx"], 0, "OK  same outputs"),
        (["tidy.onnx", "lower.onnx", "--strict"], 1, "OK  same outputs"),
        (["tidy.onnx", "bias.onnx"], 1, "DIFFERENT"),
        (["tidy.onnx", "bias.onnx", "--tolerance", "0.5"], 0, "OK  same outputs"),
        (["lower.onnx", "bias.onnx", "--inputs", "zero.npy"], 1, "1 input;"),
        (["lower.onnx", "hardware.onnx"], 3, "UNPROVEN"),
        (["."], 1, "! bias.onnx is the first that is wrong, beside the step before: DIFFERENT"),
        (["tidy.onnx", "tidy.onnx", "lower.onnx"], 0, "same graph"),
    ],
)
def test_the_status_says_whether_the_outputs_agree(
    screen: Screen, trail: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, words: str
) -> None:
    monkeypatch.chdir(trail)
    np.save("zero.npy", np.zeros((1, 1, 28, 28), "float32"))
    assert comparison.run(screen.names["diff"], options.parsed(["--diff", *arguments]), screen.console.out) == status
    assert words in screen.out.getvalue()


def test_a_build_is_a_row_a_step_in_the_order_they_were_written(build: Series) -> None:
    lines = plain(build.styled(100, True)).splitlines()
    assert [line.split()[:3] for line in lines[:5]] == [
        ["step", "step", "before"],
        ["tidy.onnx"],
        ["lower.onnx", "OK", "rel"],
        ["!", "bias.onnx", "DIFFERENT"],
        ["hardware.onnx", "UNPROVEN", "UNPROVEN"],
    ]
    assert "lower.onnx, bias.onnx: has ops of qonnx.custom_op.general: " in " ".join(lines)
    assert [step.name for step in build if step.is_wrong] == ["bias.onnx"]
    assert build.first_wrong is build[2]
    assert not build


def test_a_step_that_only_renames_is_told_as_that_and_is_no_change(trail: Path) -> None:
    model = load(str(trail / "lower.onnx"))
    renamed = model.transform(GiveUniqueNodeNames())
    build = series(
        [model, renamed, renamed], partial(compared, prove=Prover(EXECUTOR).verdict), lambda done, name: None
    )
    assert [step.changes for step in build] == ["", "renamed only", ""]
    assert not build.has_changes


def test_what_proves_nothing_is_told_once_for_all_models_of_its_kind(trail: Path, tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        model = load(str(trail / "lower.onnx"))
        model.graph.node[0].name = name
        model.graph.node[0].domain = "no.such.package"
        model.graph.node[1].op_type = "Neg" if name == "a.onnx" else "Abs"
        model.save(str(tmp_path / name))
    sources = [str(trail / "lower.onnx"), str(tmp_path / "a.onnx"), str(tmp_path / "b.onnx")]
    build = series(sources, partial(compared, prove=Prover(EXECUTOR).verdict), lambda done, name: None)
    assert "a.onnx, b.onnx: UNPROVEN: a model has ops of the domain no.such.package" in "\n".join(build.conclusion())


@pytest.mark.parametrize("width", [60, 40])
def test_a_narrow_table_keeps_the_steps_and_their_verdicts(build: Series, width: int) -> None:
    lines = plain(build.styled(width, True)).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[3].startswith("!  bias.onnx      DIFFERENT")
    assert "no room for: " in lines[5] or width == 60


def test_the_report_is_plain_json(
    build: Series, screen: Screen, trail: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = json.loads(json.dumps(build.to_dict(), allow_nan=False))
    assert values["first_wrong"] == "bias.onnx"
    bias = values["steps"][2]
    assert bias["verdict"]["outcome"] == bias["against_first"]["outcome"] == "DIFFERENT"
    assert bias["verdict"]["first"]["tensor_after"] == "Plus214_Output_0"
    assert bias["graph"]["nodes"] == {"before": 18, "after": 18, "untouched": 17}
    models = [str(trail / "tidy.onnx"), str(trail / "bias.onnx")]
    comparison.run(screen.names["diff"], options.parsed(["--diff", *models, "--json"]), screen.console.out)
    report = json.loads(capsys.readouterr().out)
    assert (report["status"], report["verdict"]["outcome"]) == (1, "DIFFERENT")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.onnx", "tidy.onnx"], "no model 'nothing.onnx'"),
        (["cut.onnx", "tidy.onnx"], "cut.onnx is no ONNX model"),
        (["tidy.onnx"], "diff compares two"),
        (["/dev/null", "tidy.onnx"], "nothing to compare tidy.onnx with: it is new, or deleted"),
        (["empty"], "no *.onnx file in empty"),
        (["*.none"], "no file matches *.none"),
    ],
)
def test_what_cannot_be_read_is_another_status(
    trail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str,
    capsys: pytest.CaptureFixture[str], screen: Screen,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "tidy.onnx").write_bytes((trail / "tidy.onnx").read_bytes())
    (tmp_path / "cut.onnx").write_bytes((trail / "tidy.onnx").read_bytes()[:100])
    assert comparison.run(screen.names["diff"], options.parsed(["--diff", *arguments]), screen.console.out) == 2
    assert message in capsys.readouterr().err


def test_models_are_compared_and_opened_from_the_command_line(trail: Path) -> None:
    done = forked("--diff", "tidy.onnx", "bias.onnx", cwd=trail)
    assert done.returncode == 1, done.stderr
    assert "first at Plus214_Output_0, from Add" in " ".join(done.stdout.split())
    opened = forked("tidy.onnx", "lower.onnx", "-c", "print(len(m.graph.node), len(m2.graph.node))", cwd=trail)
    assert (opened.stdout, opened.returncode) == ("12 18\n", 0)


@pytest.mark.parametrize("wrong", [["--strict"], ["--shape", "N=4"], ["--diff", "a", "--shape", "N"], ["--json"]])
def test_options_that_do_not_fit_are_wrong_usage(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        options.parsed(wrong)
    told = capsys.readouterr().err
    assert "usage: bsrepl" in told
    assert "_shape" not in told

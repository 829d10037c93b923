"""A command and what is told around it: the files, the value, the registry's changes, the time, errors and hints."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from unittest.mock import Mock

import pytest

from bsrepl.text.format import duration

from ..conftest import Screen, unwrapped

HALF = """
from onnx.helper import make_graph, make_model, make_node, make_tensor_value_info
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation
x, y = (make_tensor_value_info(name, 1, [1]) for name in 'xy')
m = ModelWrapper(make_model(make_graph([make_node('Relu', ['x'], ['y'], name='Conv_0')], 'g', [x], [y])))
class Half(Transformation):
    def apply(self, model):
        model.graph.node[0].name = 'half'
        model.graph.node[0].op_type = 'Neg'
        raise KeyboardInterrupt
"""

FOLD = '@transform(stage="cleanup")\nclass Fold:\n    def apply(self, model):\n        return model, False\n'

CUSTOM_OPTIMIZER = '''
@transform(name="CustomOptimizer", stage="optimization")
class CustomOptimizer:
    """My custom optimization transform"""
    def apply(self, model):
        # Transform implementation
        return optimized_model
'''

REDUNDANT_OPS = '''@transform(name="RemoveRedundantOps", stage="cleanup")
class RemoveRedundantOps:
    """Remove operations that have no effect"""
    
    def apply(self, model):
        # Find and remove redundant operations
        redundant_count = 0
        for node in model.graph.nodes:
            if self.is_redundant(node):
                model.graph.remove(node)
                redundant_count += 1
        print(f"Removed {redundant_count} redundant operations")
        return model
    
    def is_redundant(self, node):
        # Logic to detect redundancy
        return node.op_type == "Identity"
'''  # noqa: W293

FAST_MATMUL = '''@kernel(name="FastMatMul", backends=["hls", "rtl", "dsp"])
class FastMatMul:
    """Optimized matrix multiplication for specific sizes"""
    
    def get_nodeattr_types(self):
        return {
            "M": ("i", True, 512),
            "N": ("i", True, 512),
            "K": ("i", True, 512),
            "dtype": ("s", True, "int8")
        }
    
    def infer_node_datatype(self, node):
        return DataType["INT8"]
'''  # noqa: W293


@pytest.mark.parametrize(
    ("snippet", "line", "counts"),
    [
        (CUSTOM_OPTIMIZER, "+ tfm.CustomOptimizer  stage=optimization  <command 1>:2", "transforms 65 -> 66"),
        (REDUNDANT_OPS, "+ tfm.RemoveRedundantOps  stage=cleanup  <command 1>:1", "transforms 65 -> 66"),
        (FAST_MATMUL, "+ kernels.FastMatMul  backends=hls,rtl,dsp  <command 1>:1", "kernels 14 -> 15"),
    ],
)
def test_a_pasted_snippet_registers(screen: Screen, snippet: str, line: str, counts: str) -> None:
    screen.console.run(snippet)
    told = re.sub(r"<command 1>:\d", line[-len("<command 1>:1") :], screen.out.getvalue())
    assert line in told
    assert counts in told


def test_a_pasted_kernel_has_its_declared_backends(screen: Screen) -> None:
    screen.console.run(FAST_MATMUL)
    told = screen.type("kernels.FastMatMul?")
    assert re.search(r"declared backends +hls, rtl, dsp\n", told)
    assert re.search(r"registered backends +-\n", told)
    screen.type('@backend(kernel="FastMatMul", language="hls", default=True)\nclass MatMulHLS: pass')
    assert re.search(r"registered backends +backends.MatMulHLS \(hls, default\)\n", screen.type("show('FastMatMul')"))
    assert re.search(r"missing backends +rtl, dsp\n", screen.type("show('FastMatMul')"))
    shown = screen.type("kernels.FastMatMul")
    assert "registered backends: backends.MatMulHLS (hls, default); missing backends: rtl, dsp\n" in shown
    listed = screen.type("backends.for_kernel('FastMatMul')")
    assert "backends.MatMulHLS  kernel=FastMatMul" in listed
    assert "missing: rtl, dsp; declared, but not registered\n" in listed


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("tfm.RemoveIdentity()", "RemoveIdentity object at"),
        ("tfm['RemoveIdentity']", "<class 'bsrepl.frameworks.qonnx.remove_identity.RemoveIdentity'>"),
        ("tfm.find(stage='cleanup')", "tfm.qonnx.FoldConstants "),
        ("tfm.qonnx.FoldConstants()", "qonnx.transformation.fold_constants.FoldConstants object at"),
        ("tfm.all()", "tfm.qonnx.InferShapes "),
    ],
)
def test_the_five_ways_to_discover(screen: Screen, line: str, answer: str) -> None:
    assert answer in screen.type(line)


def test_the_value_of_a_final_expression_is_shown_and_kept(screen: Screen) -> None:
    assert screen.type("x = 20\nx + 1") == "21\n"
    assert screen.type("_ * 2") == "42\n"
    assert screen.type("x") == "20\n"
    assert screen.type("x;") == ""
    assert screen.type("None") == ""


def test_the_order_is_files_value_changes_time(screen: Screen, tmp_path: Path) -> None:
    (tmp_path / "plugins" / "fold.py").write_text(FOLD)
    screen.console.shows_time = True
    told = screen.type("transform(name='Pasted')(tfm.Fold)")
    order = ["+ tfm.Fold ", "reload", "<class 'fold.Fold'>", "+ tfm.Pasted", "transforms 66 -> 67"]
    places = [told.index(part) for part in order]
    assert places == sorted(places)
    assert re.fullmatch(r"\d+(\.\d+)? (us|ms|s)", told.splitlines()[-1])


def test_what_is_on_disk_when_a_command_starts_is_what_it_runs(screen: Screen, tmp_path: Path) -> None:
    path = tmp_path / "plugins" / "fold.py"
    for answer in ("1", "2", "3"):
        path.write_text(FOLD.replace("model, False", answer))
        assert screen.type("tfm.Fold().apply(None)").splitlines()[-1] == answer


def test_a_failing_file_is_told_once_and_the_old_version_runs(screen: Screen, tmp_path: Path) -> None:
    path = tmp_path / "plugins" / "fold.py"
    path.write_text(FOLD.replace("model, False", "1"))
    screen.type("0")
    path.write_text(FOLD + "    oops\n")
    told = screen.type("tfm.Fold().apply(None)")
    assert told.splitlines()[0] == "failed fold.py:5  NameError: name 'oops' is not defined"
    assert "    oops\n" in told
    assert "kept the previous version: tfm.Fold\n" in told
    assert told.splitlines()[-1] == "1"
    assert screen.type("0") == "0\n"
    assert "Traceback" in screen.type("errors()")
    assert "still failing; see errors()" in screen.type("retry()")
    path.write_text(FOLD)
    assert screen.type("0").splitlines()[0] == "fold.py is fixed"
    assert "no plugin file fails" in screen.type("errors()")


def test_a_file_that_is_gone_for_the_moment_is_said_to_be(screen: Screen, tmp_path: Path) -> None:
    path = tmp_path / "plugins" / "fold.py"
    path.write_text(FOLD)
    screen.type("0")
    path.unlink()
    told = screen.type("tfm.Fold.__name__")
    assert told.startswith("fold.py missing or empty; the previous version is kept")
    assert told.endswith("'Fold'\n")
    screen.clock.ahead = 2
    assert screen.type("0").startswith("- tfm.Fold  fold.py\n")


def test_many_failures_at_once_are_one_summary(screen: Screen, tmp_path: Path) -> None:
    for n in range(40):
        (tmp_path / "plugins" / f"bad_{n:02}.py").write_text(f"undefined_{n}\n")
    told = screen.type("0")
    assert told.count("failed bad_") == 40
    assert told.count("nothing of it is registered") == 5
    assert told.splitlines()[-2] == "40 files failed; errors() shows each in full"
    assert screen.type("errors()").count("Traceback") == 40


def test_retry_executes_a_file_again_whose_cause_was_elsewhere(screen: Screen, tmp_path: Path) -> None:
    (tmp_path / "plugins" / "fold.py").write_text(f"open({str(tmp_path / 'data')!r}).close()\n{FOLD}")
    assert "FileNotFoundError" in screen.type("0")
    (tmp_path / "data").touch()
    told = screen.type("retry()")
    assert "fold.py is fixed" in told
    assert "+ tfm.Fold" in told


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("1 / 0", 'File "<command 1>", line 1, in <module>\n    1 / 0\n'),
        ("x = (", "SyntaxError"),
        ("tfm.FoldConstant", "nearest: FoldConstants"),
        ("tfm['FoldConstant']", "nearest: FoldConstants"),
        (
            "from qonnx.transformation.general import RemoveIdentityOps",
            "is now in qonnx.transformation.remove:\n  from qonnx.transformation.remove import RemoveIdentityOps",
        ),
        (
            "import qonnx.transformation.general as g\ng.RemoveIdentityOps",
            "from qonnx.transformation.remove import RemoveIdentityOps",
        ),
        ("raise KeyboardInterrupt", "interrupted"),
    ],
)
def test_errors_start_at_the_users_code_and_say_what_to_write(screen: Screen, command: str, said: str) -> None:
    told = screen.type(command)
    assert said in told
    assert "session.py" not in told
    assert "console.py" not in told


def test_an_outdated_import_in_a_plugin_file_says_what_to_write_too(screen: Screen, tmp_path: Path) -> None:
    text = "from qonnx.transformation.general import RemoveIdentityOps\n"
    (tmp_path / "plugins" / "old.py").write_text(text)
    told = screen.type("0")
    assert "failed old.py:1  ImportError" in told
    assert "from qonnx.transformation.remove import RemoveIdentityOps" in told


def test_details_of_a_framework_transform(screen: Screen) -> None:
    told = screen.type("tfm.FoldConstants?")
    for field, value in {
        "name": "tfm.qonnx.FoldConstants",
        "kind": "transform",
        "framework": "qonnx",
        "stage": "cleanup",
        "module": "qonnx.transformation.fold_constants",
        "call": r"FoldConstants\(.*\)",
        "methods": "apply",
    }.items():
        assert re.search(rf"^  {field} +{value}", told, re.MULTILINE), field
    assert re.search(r"defined +/.*fold_constants.py:\d+\n", told)
    assert "Replace the output of a node with const-only inputs" in told


def test_source_of_pasted_and_of_framework_classes(screen: Screen) -> None:
    screen.console.run("x = 1\n\n" + CUSTOM_OPTIMIZER)
    assert screen.type("tfm.CustomOptimizer??") == CUSTOM_OPTIMIZER.lstrip()
    assert screen.type("source('CustomOptimizer')") == CUSTOM_OPTIMIZER.lstrip()
    assert screen.type("tfm.FoldConstants??").startswith("class FoldConstants(")
    assert "no source found for int" in screen.type("int??")


def test_details_of_other_things(screen: Screen) -> None:
    assert re.search(r"type +int\n", screen.type("show(3)"))
    assert "tfm.qonnx.FoldConstants" in screen.type("show(tfm)")
    assert re.search(r"call +load\(name", screen.type("load?"))
    screen.type("def f(a: 'int', b: 'list[int]' = ': x', *c) -> 'None': ...")
    assert "f(a: int, b: list[int] = ': x', *c) -> None\n" in screen.type("f?")


def test_a_repr_that_raises_is_told_as_that(screen: Screen) -> None:
    screen.type("class Bad:\n    def __repr__(self): raise ValueError('no')")
    assert screen.type("Bad()") == "<Bad whose __repr__ raises ValueError: no>\n"


def test_changes_since_the_start(screen: Screen) -> None:
    assert "no change since the start" in screen.type("changes()")
    screen.console.run(FAST_MATMUL)
    screen.type("0")
    assert "+ kernels.FastMatMul" in screen.type("changes()")


def test_the_shell_command(screen: Screen, capfd: pytest.CaptureFixture[str]) -> None:
    screen.type("!echo from the shell")
    assert capfd.readouterr().out == "from the shell\n"


def test_help_lists_every_command(screen: Screen) -> None:
    told = screen.type("help()")
    for name in ("show", "source", "changes", "errors", "retry", "watching", "load", "tfm", "x??"):
        assert name in told


def test_a_future_import_holds_for_the_commands_after_it(screen: Screen) -> None:
    screen.type("from __future__ import annotations")
    assert screen.type("def f(x: undefined): pass\nf.__annotations__") == "{'x': 'undefined'}\n"


def test_what_is_defined_at_the_prompt_can_be_pickled(screen: Screen) -> None:
    assert screen.type("import pickle\nclass A: pass\npickle.loads(pickle.dumps(A)) is A") == "True\n"


def test_a_slip_in_a_command_warns(screen: Screen) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        screen.type("@transform(stage='clenup')\nclass A:\n    def apply(self, m): return m, False")
    assert "looks like" in str(caught[0].message)
    assert caught[0].filename == "<command 1>"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 us"),
        (0.000_000_012, "12 ns"),
        (0.000_873, "873 us"),
        (0.0123, "12.3 ms"),
        (0.9999, "999.9 ms"),
        (1.25, "1.25 s"),
    ],
)
def test_times_are_written_as_people_do(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize("width", [100, 60, 40])
def test_changes_stay_legible_in_a_narrow_terminal(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    name = "ConvertEverythingToSomethingElse"
    (tmp_path / "plugins" / "convert.py").write_text(FOLD.replace("Fold", name))
    told = screen.type("0")
    lines = told.splitlines()
    assert re.match(rf"\+ tfm\.{name} .*convert\.py:\d$", lines[0])
    assert "stage=cleanup" in told
    assert "transforms 65 -> 66" in told
    assert max(map(len, lines[1:])) <= width


def test_what_a_function_imports_when_it_is_called_is_followed(screen: Screen, tmp_path: Path) -> None:
    (tmp_path / "plugins" / "_late.py").write_text("VALUE = 1\n@step\ndef late(model):\n    return VALUE\n")
    (tmp_path / "plugins" / "use.py").write_text("@step\ndef use(model):\n    import _late\n    return _late.VALUE\n")
    screen.type("0")
    told = screen.type("steps.use(0)")
    assert told.startswith("1\n+ steps.late  _late.py:2\n")
    (tmp_path / "plugins" / "_late.py").write_text("VALUE = 2\n@step\ndef late(model):\n    return VALUE\n")
    assert "\n2\n" in f"\n{screen.type('steps.use(0)')}"
    assert screen.type("steps.late(0)") == "2\n"


@pytest.mark.parametrize("width", [100, 60, 40])
def test_the_help_page_breaks_no_word(screen: Screen, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = screen.type("help()").splitlines()
    assert [line for line in lines if len(line) > width and len(line.split()) > 1] == []
    assert "tfm.FoldConstants," in " ".join(lines).split()
    assert any(line.strip() == "record(path)" or line.strip().startswith("record(path)  ") for line in lines)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("show(node)", (r"  node +Conv_0\n  op +Conv\n  domain +that of ONNX\n  inputs +x, w, \(left out\)\n"
                       r"  outputs +y\n  attributes +group=1; kernel_shape=\[3, 3\]\n$")),
        ("node?", r"  op +Conv\n"),
        ("show(node.attribute[1])", r"<AttributeProto kernel_shape=\[3, 3\]>\n$"),
        ("show(node.attribute)", r"0  AttributeProto group=1\n1  AttributeProto kernel_shape=\[3, 3\]\n$"),
        ("import onnx; show(onnx)", r"  module +onnx\n  version +[\d.]+\n  file +\S+__init__.py\n"),
        ("import json.decoder; show(json.decoder)", (r"  module +json.decoder\n  file .*\n  about +Implementation of "
                                                    r"JSONDecoder\n  offers +JSONDecodeError, JSONDecoder\n$")),
    ],
)  # fmt: skip
def test_show_of_a_part_of_a_model_and_of_a_module(screen: Screen, command: str, told: str) -> None:
    screen.type("from onnx.helper import make_node")
    screen.type("node = make_node('Conv', ['x', 'w', ''], ['y'], name='Conv_0', kernel_shape=[3, 3], group=1)")
    assert re.search(told, screen.type(command))


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (
            "m = m.transform(Half())",
            "interrupted Half before it ended; no model that a name holds has changed\n",
        ),
        (
            "m = m.transform(Half(), make_deepcopy=False)",
            (
                "interrupted Half before it ended; m keeps what it did up to there: verify(before('m'), m) compares, "
                "m = before('m') goes back\n"
            ),
        ),
    ],
)
def test_a_pass_that_is_interrupted_says_what_happened_to_the_model(screen: Screen, command: str, told: str) -> None:
    screen.type(HALF)
    shown = unwrapped(screen.type(command))
    assert told in shown
    assert "hint" not in shown
    if "make_deepcopy" in command:
        screen.type("m = before('m')")
    assert screen.type("m.graph.node[0].name") == "'Conv_0'\n"


def test_a_comparison_that_is_interrupted_says_what_happened_to_the_model(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*arguments: object) -> None:
        raise KeyboardInterrupt

    screen.type(HALF)
    monkeypatch.setattr(screen.console.evaluator, "_proofs", Mock(proof=stopped))
    told = unwrapped(screen.type("m = m.transform(tfm.qonnx.ConvertSubToAdd()); m.graph.node[0].name = 'first'"))
    assert told.endswith(
        "interrupted while the outputs were compared; m has the change: verify(before('m'), m) compares, "
        "m = before('m') goes back\n"
    )
    assert "1 rewrite" in told or "node" in told

"""A copy of QONNX that is under development: its files are edited while a session holds things of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import qonnx

from ..conftest import unwrapped

_NEW = """
from qonnx.transformation.base import Transformation

class Tidy(Transformation):
    def apply(self, model):
        return model, False
"""


class Session:
    """A shell in another process, and a QONNX of which it follows the files."""

    def __init__(self, folder: Path) -> None:
        self.qonnx = folder / "qonnx"
        shutil.copytree(Path(qonnx.__file__).parent, self.qonnx, ignore=shutil.ignore_patterns("__pycache__"))
        self.plugins = folder / "plugins"
        self.plugins.mkdir()
        environ = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "120"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.reload.package_session", str(self.plugins)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ,
            cwd=Path(__file__).parent.parent.parent,
        )  # fmt: skip

    def type(self, command: str | float) -> str:
        """Runs a command, or puts the clock forward by so many seconds. Returns what was printed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        printed: str = json.loads(self._process.stdout.readline())
        return printed

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.qonnx / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def add(self, file: str, cls: str, lines: str) -> None:
        """Puts lines at the beginning of a class."""
        text = (self.qonnx / file).read_text()
        head = next(line for line in text.splitlines() if line.startswith(f"class {cls}"))
        self.edit(file, head, f"{head}\n    {lines}\n")

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    session = Session(tmp_path_factory.mktemp("development"))
    session.type("import importlib, sys, qonnx")
    yield session
    session.close()


def test_a_leaf_is_edited_and_what_is_held_of_it_follows(session: Session) -> None:
    session.type(
        "import qonnx, sys; from qonnx.transformation.fold_constants import FoldConstants as Fold; fold = Fold()"
    )
    session.type("module = sys.modules[Fold.__module__]; module_q = qonnx")
    session.add("transformation/fold_constants.py", "FoldConstants(", "answer = 41")
    assert "~ tfm.qonnx.FoldConstants  answer added" in session.type("1")
    session.edit("transformation/fold_constants.py", "answer = 41", "answer = 42")
    printed = session.type("fold.answer, Fold.answer, Fold is tfm.FoldConstants, type(fold) is Fold")
    assert "~ tfm.qonnx.FoldConstants  answer changed  fold_constants.py:" in printed
    assert "(42, 42, True, True)" in printed
    assert "True" in session.type("sys.modules[Fold.__module__] is module is qonnx.transformation.fold_constants")
    assert "True" in session.type("module_q is qonnx is sys.modules['qonnx']")
    assert "answer = 42" in session.type("source(Fold)")


def test_a_file_that_fails_changes_nothing_and_is_told_once(session: Session) -> None:
    session.type("from qonnx.transformation.remove import RemoveIdentityOps as Remove; remove = Remove()")
    session.add("transformation/remove.py", "RemoveIdentityOps(", "sound = no_such_name")
    printed = session.type("hasattr(Remove, 'sound'), Remove is tfm.RemoveIdentityOps, type(remove) is Remove")
    assert "failed remove.py:" in printed
    assert "NameError: name 'no_such_name' is not defined" in printed
    assert "kept the previous version: tfm.qonnx." in printed
    assert "(False, True, True)" in printed
    assert session.type("1") == "1\n"
    assert "NameError" in session.type("errors()")
    session.edit("transformation/remove.py", "no_such_name", "'yes'")
    printed = session.type("remove.sound")
    assert "remove.py is fixed" in printed
    assert "'yes'" in printed


def test_the_listing_follows_files_that_nobody_imports(session: Session) -> None:
    (session.qonnx / "transformation" / "tidy.py").write_text(_NEW)
    printed = session.type("'qonnx.transformation.tidy' in sys.modules")
    assert "+ tfm.qonnx.Tidy  tidy.py:4" in printed
    assert printed.endswith("False\n")
    assert "False" in session.type("tidy = tfm.Tidy(); tidy.apply(1)[1]")
    (session.qonnx / "transformation" / "sub").mkdir()
    (session.qonnx / "transformation" / "tidy.py").rename(session.qonnx / "transformation" / "sub" / "tidy.py")
    (session.qonnx / "transformation" / "sub" / "__init__.py").write_text("")
    printed = session.type("type(tidy).__module__, tfm.Tidy is type(tidy)")
    assert "~ tfm.qonnx.Tidy  moved from tidy.py:4  tidy.py:4" in printed
    assert "('qonnx.transformation.sub.tidy', True)" in printed
    shutil.rmtree(session.qonnx / "transformation" / "sub")
    session.type("1")
    session.type(2)
    assert "- tfm.qonnx.Tidy" in session.type("1")
    session.edit("transformation/batchnorm_to_affine.py", "class BatchNormToAffine", "class NormToAffine")
    printed = session.type("'NormToAffine' in tfm, 'BatchNormToAffine' in tfm")
    assert "+ tfm.qonnx.NormToAffine" in printed
    assert "- tfm.qonnx.BatchNormToAffine" in printed
    assert "(True, False)" in printed


def test_the_core_is_edited_while_models_are_held(session: Session) -> None:
    session.type("m = load('mnist-conv'); held = {'list': [m]}; m0 = m")
    session.add("core/modelwrapper.py", "ModelWrapper", "def size(self):\n        return len(self.graph.node)")
    assert "(12, 12)" in session.type("m.size(), held['list'][0].size()")
    assert "True" in session.type("from qonnx.core.modelwrapper import ModelWrapper; type(m) is ModelWrapper")
    session.type("m = m.transform(tfm.InferShapes()).transform(tfm.FoldConstants())")
    assert "same" in session.type("verify(m, m0)")
    session.type("del m, m0, held")  # while a model is held, each edit starts what executes models anew


def test_ops_follow_and_so_does_the_registry_of_qonnx(session: Session) -> None:
    session.type("from qonnx.custom_op import registry as ops; from onnx import helper")
    session.type("op = helper.make_node('IntQuant', ['a'], ['b'], domain='qonnx.custom_op.general')")
    session.type("kernels.IntQuant, ops.getCustomOp(op)")
    session.add("custom_op/general/intquant.py", "IntQuant(", "note = 1")
    printed = session.type("ops.getCustomOp(op).note, type(ops.getCustomOp(op)) is kernels.IntQuant")
    assert "~ kernels.qonnx.IntQuant  note added" in printed
    assert "(1, True)" in printed
    session.edit(
        "custom_op/general/trunc.py", "class Trunc_v1", "class Trunc_v7(Trunc_v2):\n    pass\n\nclass Trunc_v1"
    )
    session.type("ops.get_supported_versions('qonnx.custom_op.general', 'Trunc')")
    session.type("ops.add_op_to_domain('my.domain', kernels.IntQuant)")
    session.edit("custom_op/registry.py", "_REGISTRY_LOCK = ", "AGE = 2\n_REGISTRY_LOCK = ")
    assert "(2, True)" in session.type("ops.AGE, ops.get_ops_in_domain('my.domain')[0][1] is kernels.IntQuant")


def test_models_are_executed_with_the_ops_as_they_are_now(session: Session) -> None:
    session.type("from onnx import helper as h, TensorProto as T; from qonnx.core.modelwrapper import ModelWrapper")
    session.type("node = h.make_node('BipolarQuant', ['x', 's'], ['y'], domain='qonnx.custom_op.general')")
    session.type("ports = [h.make_tensor_value_info(n, T.FLOAT, s) for n, s in [('x', [4]), ('s', []), ('y', [4])]]")
    session.type("graph = h.make_graph([node], 'g', ports[:2], ports[2:])")
    session.type("quant = ModelWrapper(h.make_model(graph, opset_imports=[h.make_opsetid('', 13)]))")
    assert "OK" in session.type("verify(quant, quant)")
    session.edit("custom_op/general/bipolar_quant.py", "ret = binary_quant(inp_tensor, scale)", "ret = 1 / 0")
    assert "OK" not in session.type("verify(quant, quant)")
    session.edit("custom_op/general/bipolar_quant.py", "ret = 1 / 0", "ret = binary_quant(inp_tensor, scale)")
    assert "OK" in session.type("verify(quant, quant)")
    session.type("del quant")


def test_data_types_follow(session: Session) -> None:
    session.type("from qonnx.core.datatype import DataType; four = DataType['INT4']")
    session.add("core/datatype.py", "IntType(", "kind = 'whole'")
    assert "('whole', True)" in session.type("four.kind, four == DataType['INT4']")


def test_plugin_files_follow(session: Session) -> None:
    plugin = session.plugins / "mine.py"
    plugin.write_text(
        "from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul\n\n"
        "@transform\nclass Lower(LowerConvsToMatMul):\n    pass\n"
    )
    assert "+ tfm.Lower" in session.type("lower = tfm.Lower()")
    session.add(
        "transformation/lower_convs_to_matmul.py", "LowerConvsToMatMul(", "def hint(self):\n        return 'low'"
    )
    assert "'low'" in session.type("lower.hint()")
    plugin.unlink()
    session.type(3)


def test_many_files_at_once_are_one_change(session: Session) -> None:
    files = sorted((session.qonnx / "transformation").glob("*.py"))
    session.type("import importlib, sys")
    session.type(f"for n in {[file.stem for file in files]}: importlib.import_module(f'qonnx.transformation.{{n}}')")
    for file in files:
        file.write_text(file.read_text() + "\nSAVED = 1\n")
    printed = session.type(
        "sum(getattr(m, 'SAVED', 0) for n, m in sys.modules.items() if n.startswith('qonnx.transf'))"
    )
    assert "failed" not in printed
    assert int(printed.split()[-1]) > 20
    (session.qonnx / "transformation" / "base.py").write_text("1 / 0\n")
    assert printed.split()[-1] in session.type(
        "sum(getattr(m, 'SAVED', 0) for n, m in sys.modules.items() if n.startswith('qonnx.transf'))"
    )


def test_what_is_followed_is_listed(session: Session) -> None:
    assert "under development, " in session.type("frameworks()")
    assert f"{session.qonnx}  under development, " in session.type("watching()")


def test_a_plugin_file_that_can_be_imported_is_one_file(session: Session) -> None:
    session.type(f"sys.path.append({str(session.plugins)!r})")
    (session.plugins / "solo.py").write_text("@step\ndef alone(model): return model\n")
    session.type("import solo")
    lines = [line for line in unwrapped(session.type("watching()")).splitlines() if "solo.py" in line]
    assert lines == [f"{session.plugins / 'solo.py'}  1 plugin, under development, 1 of 1 module imported"]
    assert "solo.py executed again" in session.type("retry('solo.py')")

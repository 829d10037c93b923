"""What a reload does to the objects that the session holds: nothing is silently old."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from ..conftest import Screen

PLUGIN = """\
import dataclasses, enum

@transform(stage="cleanup")
class Fold:
    def __init__(self, size=1):
        self.size = size
    def apply(self, model):
        return VERSION

class Base:
    def who(self):
        return "base VERSION"

@transform
class Derived(Base):
    def who(self):
        return super().who() + " derived VERSION"
    def apply(self, model):
        return model, False

@kernel
class Slotted:
    __slots__ = ("x", "y")
    def value(self):
        return (self.x, VERSION)

@kernel
@dataclasses.dataclass(frozen=True)
class Frozen:
    x: int = 1
    def value(self):
        return (self.x, VERSION)

@kernel
class Color(enum.Enum):
    RED = 1
    BLUE = 2
    def value_now(self):
        return (self.value, VERSION)

@step
def answer(model, cfg=None):
    return VERSION
"""


@pytest.fixture
def plugin(screen: Screen, tmp_path: Path) -> Path:
    path = tmp_path / "plugins" / "fold.py"
    path.write_text(PLUGIN.replace("VERSION", "1"))
    screen.type("0")
    return path


def save(path: Path, version: int, *replacements: tuple[str, str]) -> None:
    text = PLUGIN
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text.replace("VERSION", str(version)))


HELD = [
    # what is held -> what it is asked -> before -> after a reload
    ("held = tfm.Fold", "held().apply(0)", "1", "2"),
    ("held = tfm.Fold(7)", "(held.size, held.apply(0), type(held) is tfm.Fold)", "(7, 1, True)", "(7, 2, True)"),
    ("held = tfm.Fold().apply", "held(0)", "1", "2"),
    ("held = [tfm.Fold(1), tfm.Fold(2)]", "[(f.size, f.apply(0)) for f in held]", "[(1, 1), (2, 1)]",
     "[(1, 2), (2, 2)]"),
    ("held = {'a': (tfm.Fold(3),)}", "held['a'][0].apply(0)", "1", "2"),
    ("held = [tfm.Fold, tfm.Derived]", "held[0]().apply(0), held[0] is tfm.Fold", "(1, True)", "(2, True)"),
    ("held = {tfm.Fold: tfm.Fold}", "[(k is tfm.Fold, v is tfm.Fold) for k, v in held.items()]", "[(True, True)]",
     "[(True, True)]"),
    ("held = tfm.Derived()", "held.who()", "'base 1 derived 1'", "'base 2 derived 2'"),
    ("held = tfm.Derived()", "isinstance(held, tfm.Derived)", "True", "True"),
    ("held = kernels.Slotted(); held.x = 5", "held.value()", "(5, 1)", "(5, 2)"),
    ("held = kernels.Frozen(6)", "held.value(), held == kernels.Frozen(6)", "((6, 1), True)", "((6, 2), True)"),
    ("held = kernels.Color.RED", "held.value_now(), held is kernels.Color.RED", "((1, 1), True)", "((1, 2), True)"),
    ("held = steps.answer", "held(0)", "1", "2"),
    ("import functools; held = functools.partial(steps.answer, 0)", "held()", "1", "2"),
    ("class Mine: pass\nheld = Mine(); held.fold = tfm.Fold(9)", "held.fold.size, held.fold.apply(0)", "(9, 1)",
     "(9, 2)"),
]  # fmt: skip


@pytest.mark.parametrize(("hold", "ask", "before", "after"), HELD)
def test_what_the_session_holds_follows(
    screen: Screen, plugin: Path, hold: str, ask: str, before: str, after: str
) -> None:
    screen.type(hold)
    assert screen.type(ask) == f"{before}\n"
    save(plugin, 2)
    assert screen.type(ask).splitlines()[-1] == after
    # a failing save leaves it
    plugin.write_text("1 / 0")
    assert screen.type(ask).splitlines()[-1] == after


def test_a_class_imported_from_a_plugin_file_follows(screen: Screen, plugin: Path) -> None:
    screen.type("from fold import Fold as Mine, answer\nimport fold")
    save(plugin, 2)
    assert screen.type("Mine().apply(0), answer(0), Mine is tfm.Fold, fold.Fold is Mine").splitlines()[-1] == (
        "(2, 2, True, True)"
    )


def test_a_session_class_derived_from_a_plugin_follows(screen: Screen, plugin: Path) -> None:
    screen.type("class Mine(tfm.Fold):\n    def twice(self): return self.apply(0) * 2\nmine = Mine(3)")
    save(plugin, 21)
    assert screen.type("mine.twice(), mine.size, isinstance(mine, tfm.Fold), Mine().twice()").splitlines()[-1] == (
        "(42, 3, True, 42)"
    )


STALE = [
    # what differs about the class -> why its instances stay what they are
    (("def __init__(self, size=1):", "def __init__(self, size=1, x=2):"), "held = tfm.Fold(7)", "__init__() changed"),
    (('__slots__ = ("x", "y")', '__slots__ = ("x",)'), "held = kernels.Slotted(); held.x = 5", "has other slots now"),
    (("BLUE = 2", "GREEN = 2"), "held = kernels.Color.BLUE", "no member BLUE"),
    (("    x: int = 1", "    x: int = 1\n    y: int = 2"), "held = kernels.Frozen(6)", "__init__() changed"),
    (("@kernel\nclass Slotted:", "class Slotted:"), "held = kernels.Slotted(); held.x = 5", None),
    (("@kernel\nclass Slotted:", "@kernel\nclass Slitted:"), "held = kernels.Slotted()", "was removed"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "hold", "why"), STALE)
def test_what_cannot_follow_is_named(
    screen: Screen, plugin: Path, edit: tuple[str, str], hold: str, why: str | None
) -> None:
    screen.type(hold)
    save(plugin, 2, edit)
    told = screen.type("0")
    if why is None:
        assert "stale" not in told
    else:
        assert "stale  held: " in told
        assert why in told


def test_instances_that_were_stale_are_told_once(screen: Screen, plugin: Path) -> None:
    screen.type("held = tfm.Fold(7)")
    save(plugin, 2, STALE[0][0])
    assert "stale" in screen.type("0")
    assert "stale" not in screen.type("0")


def test_pickle_and_deepcopy_across_a_reload(screen: Screen, plugin: Path) -> None:
    screen.type("import pickle, copy\ndata = pickle.dumps([tfm.Fold(4), tfm.Fold]); held = tfm.Fold(5)")
    save(plugin, 2)
    assert (
        screen.type("f, c = pickle.loads(data); f.size, f.apply(0), c is tfm.Fold").splitlines()[-1] == "(4, 2, True)"
    )
    assert screen.type("copy.deepcopy([held])[0].apply(0), pickle.loads(pickle.dumps(held)).size") == "(2, 5)\n"


def test_a_model_wrapper_that_holds_one_can_be_copied(screen: Screen, plugin: Path) -> None:
    screen.type("import copy\nm = load('mnist-conv'); m.mine = tfm.Fold(5)")
    save(plugin, 2)
    assert screen.type("copy.deepcopy(m).mine.apply(0)").splitlines()[-1] == "2"
    assert copy.deepcopy(pickle.loads(pickle.dumps(screen.names["m"].mine))).size == 5


LOCAL = """\
from qonnx.transformation.base import NodeLocalTransformation

@transform
class Rename(NodeLocalTransformation):
    def __init__(self, num_workers=None):
        super().__init__(num_workers)
    def applyNodeLocal(self, node):
        node.name = "VERSION_" + node.op_type
        return node, False
"""


def test_qonnx_worker_pools_use_the_new_class_and_moved_instances(screen: Screen, tmp_path: Path) -> None:
    path = tmp_path / "plugins" / "rename.py"
    path.write_text(LOCAL.replace("VERSION", "one"))
    screen.type("m = load('mnist-conv'); held = tfm.Rename(num_workers=2)")
    assert screen.type("m.transform(held).graph.node[0].name") == "'one_Reshape'\n"
    path.write_text(LOCAL.replace("VERSION", "two"))
    ask = "m.transform(tfm.Rename(num_workers=2)).graph.node[0].name, m.transform(held).graph.node[0].name"
    assert screen.type(ask).splitlines()[-1] == "('two_Reshape', 'two_Reshape')"


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_worker_pools_of_every_start_method_see_the_live_code(screen: Screen, tmp_path: Path, method: str) -> None:
    (tmp_path / "plugins" / "_names.py").write_text("PREFIX = 'one_'\n")
    path = tmp_path / "plugins" / "rename.py"
    path.write_text("import _names\n" + LOCAL.replace('"VERSION_"', "_names.PREFIX"))
    screen.type(
        f"""
        import multiprocessing
        multiprocessing.set_start_method({method!r}, force=True)
        m = load("mnist-conv")
        from qonnx.transformation.base import NodeLocalTransformation
        class Pasted(NodeLocalTransformation):
            def applyNodeLocal(self, node):
                node.name = "pasted_" + node.op_type
                return node, False
        """
    )
    ask = "m.transform({}(num_workers=2)).graph.node[0].name"
    try:
        assert screen.type(ask.format("tfm.Rename")) == "'one_Reshape'\n"
        (tmp_path / "plugins" / "_names.py").write_text("PREFIX = 'two_'\n")
        assert screen.type(ask.format("tfm.Rename")).splitlines()[-1] == "'two_Reshape'"
        assert screen.type(ask.format("Pasted")) == "'pasted_Reshape'\n"
    finally:
        screen.type("multiprocessing.set_start_method(None, force=True)")


def test_a_stale_instance_in_a_worker_pool_is_explained_and_never_hangs(screen: Screen, tmp_path: Path) -> None:
    path = tmp_path / "plugins" / "rename.py"
    path.write_text(LOCAL.replace("VERSION", "one"))
    screen.type("m = load('mnist-conv'); held = tfm.Rename(num_workers=2)")
    path.write_text(LOCAL.replace("VERSION", "two").replace("num_workers=None", "num_workers=3"))
    told = screen.type("m.transform(held)")
    assert "stale  held: Rename.__init__() changed; this instance keeps the old code, create it again" in told
    assert "PicklingError" in told
    assert "hint Rename was replaced after this instance was created; create it again" in told


def test_tracebacks_show_the_source_that_runs(screen: Screen, plugin: Path) -> None:
    plugin.write_text("@step\ndef broken(model):\n    return 1 / model\n")
    shown = "    return 1 / model\n"
    assert shown in screen.type("steps.broken(0)")
    plugin.write_text("# a\n# b\n# c\n@step\ndef broken(model):\n    return 2 / model\n")
    assert shown.replace("1", "2") in screen.type("steps.broken(0)")
    plugin.write_text("nonsense(\n" * 9)  # a failed reload
    assert shown.replace("1", "2") in screen.type("steps.broken(0)")
    plugin.unlink()
    assert shown.replace("1", "2") in screen.type("steps.broken(0)")
    screen.type("held = steps.broken")
    screen.clock.ahead = 2
    screen.type("0")
    assert shown.replace("1", "2") in screen.type("held(0)")


def test_the_debugger_shows_the_source_that_runs(
    screen: Screen, plugin: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin.write_text("@step\ndef broken(model):\n    return 1 / model\n")
    screen.type("held = steps.broken")
    plugin.write_text("nonsense(\n" * 9)
    screen.type(
        """\
        import io, pdb
        out = io.StringIO()
        debugger = pdb.Pdb(stdin=io.StringIO("step\\nstep\\nlist\\ncontinue\\n"), stdout=out, nosigint=True)
        debugger.use_rawinput = False
        try:
            debugger.runcall(held, 1)
        finally:
            print(out.getvalue())
        """
    )
    told = capsys.readouterr().out
    assert "return 1 / model" in told
    assert "nonsense(" not in told


def test_a_stale_instance_whose_comparison_raises_is_told_all_the_same(screen: Screen, plugin: Path) -> None:
    plugin.write_text(
        "@kernel\nclass Hostile:\n    def __init__(self, x=1): pass\n    def __eq__(self, other): raise RuntimeError\n"
    )
    screen.type("import types\nbox = types.SimpleNamespace(inner=[kernels.Hostile()]); held = kernels.Hostile()")
    plugin.write_text(plugin.read_text().replace("x=1", "x=2"))
    told = screen.type("0")
    assert "stale  held: Hostile.__init__() changed" in told
    assert "stale  box.inner[0]: Hostile.__init__() changed" in told


@pytest.mark.parametrize(
    "command",
    [
        "import copy; copy.deepcopy(kernels.Slotted())",
        "import typing; typing.get_type_hints(kernels.Slotted)",
        "import copyreg, pickle; kernels.Slotted().__reduce_ex__(2)",
        "kernels.Slotted.__annotations__",
    ],
)
def test_what_python_leaves_in_a_class_is_no_change(screen: Screen, plugin: Path, command: str) -> None:
    text = "@kernel\nclass Slotted:\n    __slots__ = ('x',)\n"
    plugin.write_text(text)
    screen.type(command)
    plugin.write_text(f"# a comment\n{text}")
    assert "~ kernels.Slotted" not in screen.type("0")

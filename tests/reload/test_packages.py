"""Packages under development: which they are, and what their modules keep."""

from __future__ import annotations

import builtins
import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.machinery import ExtensionFileLoader
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from qonnx.custom_op import registry as custom_ops

from bsrepl import kernels
from bsrepl.frameworks.catalogue import Installed
from bsrepl.registry.changes import changes_between
from bsrepl.registry.store import registry
from bsrepl.reload.follow.rebind import follow
from bsrepl.reload.follow.stale import Stale
from bsrepl.reload.imports.development import Development
from bsrepl.reload.outcome import Report
from bsrepl.reload.reloader import Reloader
from bsrepl.shell.preloaded import PRELOADED

from ..conftest import files, forget


class Sources:
    """A folder on the path, whose packages are followed, and the names of a session."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ahead = 0
        self.names: dict[str, Any] = {}
        self.reloader: Reloader | None = None

    def start(self, *paths: Path, development: Development | None = None) -> None:
        self.reloader = Reloader(
            registry, map(str, paths), PRELOADED, lambda: time.time_ns() + self.ahead,
            development=development or Development(),
        )  # fmt: skip
        self.look()

    def write(self, contents: dict[str, str]) -> None:
        files(self.folder, contents)

    def imported(self, name: str) -> Any:
        return import_module(name)

    def look(self) -> tuple[Report, list[Stale]]:
        """Looks at the files, and has the names of the session follow."""
        assert self.reloader is not None
        report = self.reloader.refresh()
        followed = follow(report.replaced, self._roots, report.after.seen)
        assert followed.error is None
        return report, list(followed.stale)

    def _roots(self) -> dict[str, dict[str, Any]]:
        assert self.reloader is not None
        modules = [*self.reloader.modules.values(), *self.reloader.holding_modules()]
        return {"": self.names, **{module.__name__: vars(module) for module in modules}}

    def failures(self) -> list[str]:
        assert self.reloader is not None
        return [f"{failed.place} {failed.error}" for failed in self.reloader.failures.values()]

    def followed(self) -> set[str]:
        assert self.reloader is not None
        return {module.__name__ for module in self.reloader.package_modules.values()}


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sources]:
    monkeypatch.setattr(sys, "path", [str(tmp_path / "src"), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    sources = Sources(tmp_path / "src")
    yield sources
    if sources.reloader is not None:
        sources.reloader.close()
    for package in ("pk", "other", "single", "spaces"):
        forget(package)


def test_a_cycle_is_executed_again_as_one_and_entered_where_it_was(sources: Sources) -> None:
    sources.write({
        "pk/__init__.py": "from .first import one",
        "pk/first.py": """
            def one():
                return two() + 1
            from .second import two
            """,
        "pk/second.py": """
            from .first import one
            def two():
                return 1
            """,
    })  # fmt: skip
    sources.start()
    one = sources.names["one"] = sources.imported("pk").one
    sources.write({"pk/second.py": "from .first import one\ndef two():\n    return 10\n"})
    report, _ = sources.look()
    assert len(report.executed) == 3
    assert (sources.names["one"](), sources.names["one"] is one) == (11, False)
    sources.write({"pk/second.py": "from .first import one\n1 / 0\n"})
    sources.look()
    assert sources.failures() == ["second.py:2 ZeroDivisionError: division by zero"]
    assert sources.imported("pk").one() == 11


def test_a_module_hands_over_what_it_keeps(sources: Sources) -> None:
    sources.write({
        "pk/__init__.py": "",
        "pk/cache.py": """
            RESULTS = {}
            def __reload__(old):
                global RESULTS
                RESULTS = old["RESULTS"]
            """,
    })  # fmt: skip
    sources.start()
    cache = sources.imported("pk.cache")
    results = cache.RESULTS
    results["a"] = 1
    path = sources.folder / "pk" / "cache.py"
    path.write_text(path.read_text() + "MORE = 1\n")
    sources.look()
    assert (cache.MORE, cache.RESULTS is results) == (1, True)
    path.write_text(path.read_text().replace('old["RESULTS"]', 'old["NOTHING"]'))
    sources.look()
    assert sources.failures() == ["cache.py:4 KeyError: 'NOTHING'"]
    assert cache.RESULTS is results


def test_what_a_module_no_longer_defines_goes_and_its_submodules_stay(sources: Sources) -> None:
    sources.write({"pk/__init__.py": "OLD = 1", "pk/part.py": ""})
    sources.start()
    part = sources.imported("pk.part")
    pk = sources.imported("pk")
    sources.write({"pk/__init__.py": "NEW = 1"})
    sources.look()
    assert {name for name in vars(pk) if not name.startswith("__")} == {"NEW", "part"}
    assert pk.part is part


def test_a_module_without_a_docstring_has_none_when_it_is_executed_again(sources: Sources) -> None:
    sources.write({"pk/__init__.py": "'One'"})
    sources.start()
    pk = sources.imported("pk")
    sources.write({"pk/__init__.py": "VALUE = __doc__"})
    sources.look()
    assert (pk.__doc__, pk.VALUE) == (None, None)


@pytest.mark.parametrize("name", ["pk.part", "single"])
def test_a_module_that_was_deleted_and_returns_is_what_is_held_of_it(sources: Sources, name: str) -> None:
    file = f"{name.replace('.', '/')}.py"
    sources.write({"pk/__init__.py": "", file: "def function(): pass\nVALUE = 1"})
    sources.start()
    sources.names["held"] = sources.imported(name)
    (sources.folder / file).unlink()
    sources.look()
    sources.ahead += 2_000_000_000
    sources.look()
    assert name not in sys.modules
    sources.write({file: "VALUE = 2"})
    sources.look()
    assert sources.names["held"].VALUE == 2
    assert sources.names["held"] is sys.modules[name]
    sources.write({file: "def function(): pass\nVALUE = 3"})
    sources.look()
    assert sources.names.pop("held").VALUE == 3
    (sources.folder / file).unlink()
    sources.look()
    sources.ahead += 2_000_000_000
    sources.look()
    sources.write({file: "VALUE = 4"})
    sources.look()
    assert name not in sys.modules


def test_a_package_without_an_init_file_is_followed(sources: Sources) -> None:
    sources.write({"spaces/inner/__init__.py": "", "spaces/inner/leaf.py": "VALUE = 1"})
    sources.start()
    leaf = sources.imported("spaces.inner.leaf")
    sources.write({"spaces/inner/leaf.py": "VALUE = 2"})
    sources.look()
    assert leaf.VALUE == 2


def test_a_package_that_gets_an_init_file_is_executed_in_place(sources: Sources) -> None:
    sources.write({"spaces/one.py": "", "spaces/inner/two.py": "from spaces import one"})
    sources.start()
    two = sources.imported("spaces.inner.two")
    spaces = sources.names["held"] = sys.modules["spaces"]
    for failing in ("1 / 0", "1 / 1 / 0"):
        sources.write({"spaces/__init__.py": failing})
        sources.look()
        assert (sys.modules["spaces"], spaces.one, spaces.inner.two) == (spaces, two.one, two)
    sources.write({"spaces/__init__.py": "VALUE = 1"})
    sources.look()
    assert (spaces.VALUE, spaces.one, spaces.inner.two) == (1, two.one, two)
    assert sys.modules["spaces"] is spaces
    sources.write({"spaces/__init__.py": "VALUE = 2", "spaces/inner/__init__.py": "VALUE = 3"})
    sources.look()
    assert (spaces.VALUE, spaces.inner.VALUE) == (2, 3)
    sources.write({"spaces/__init__.py": "1 / 0"})
    sources.look()
    assert (spaces.VALUE, sys.modules["spaces"]) == (2, spaces)
    for _ in range(2):
        (sources.folder / "spaces/__init__.py").unlink()
        sources.look()
        sources.ahead += 2_000_000_000
        sources.look()
        sources.write({"spaces/__init__.py": "VALUE = 4"})
        sources.look()
        assert (sources.names["held"].VALUE, sources.failures()) == (4, [])
        assert sys.modules["spaces"] is spaces


def test_a_package_that_loses_its_init_file_and_gets_it_back_holds_its_modules(sources: Sources) -> None:
    sources.write({"pk/__init__.py": "VALUE = 1", "pk/part.py": ""})
    sources.start()
    part = sources.imported("pk.part")
    for value in (2, 3):
        (sources.folder / "pk/__init__.py").unlink()
        sources.look()
        sources.ahead += 2_000_000_000
        sources.look()
        assert (sys.modules["pk"].__file__, sys.modules["pk"].part) == (None, part)
        sources.write({"pk/__init__.py": f"VALUE = {value}"})
        sources.look()
        assert (sys.modules["pk"].VALUE, sys.modules["pk"].part) == (value, part)


def test_what_is_held_of_a_module_that_becomes_a_package_follows(sources: Sources) -> None:
    sources.write({"pk/__init__.py": "from . import part", "pk/part.py": "class A: number = 1"})
    sources.start()
    sources.names["held"] = sources.imported("pk").part
    sources.names["one"] = sources.names["held"].A()
    (sources.folder / "pk/part.py").unlink()
    sources.write({"pk/part/__init__.py": "class A: number = 2"})
    sources.look()
    sources.ahead += 2_000_000_000
    sources.look()
    assert (sources.names["held"].A.number, sources.names["one"].number) == (2, 2)
    assert sources.names["held"] is sys.modules["pk.part"]


FORMS = ("single.py", "single/__init__.py")


@pytest.mark.parametrize(("before", "after"), [FORMS, FORMS[::-1]])
def test_a_module_that_only_the_session_holds_may_become_a_package_and_back(
    sources: Sources, before: str, after: str
) -> None:
    sources.write({before: "class A: number = 1"})
    sources.start()
    held = sources.names["held"] = sources.imported("single")
    sources.names["one"] = held.A()
    del held
    for number, (gone, there) in enumerate([(before, after), (after, before)], 2):
        (sources.folder / gone).unlink()
        sources.write({there: f"class A: number = {number}"})
        if (sources.folder / "single").is_dir() and there == "single.py":
            shutil.rmtree(sources.folder / "single")
        for _ in range(2):
            _, stale = sources.look()
            sources.ahead += 2_000_000_000
        assert stale == []
        assert (sources.names["held"].A.number, sources.names["one"].number) == (number, number)
        assert sources.names["held"] is sys.modules["single"]


def test_what_was_held_before_somebody_calls_importlib_reload_follows(sources: Sources) -> None:
    sources.write({"single.py": "class A: pass\nclass Gone: pass\ndef function(): pass"})
    sources.start()
    single = sources.imported("single")
    sources.names.update(one=single.A(), kept=(single.A, single.function), gone=single.Gone())
    sources.write({"single.py": "class A: pass\nglobals().get('FAILS') and 1 / 0\ndef function(): pass"})
    del single.Gone
    importlib.reload(single)
    _, stale = sources.look()
    assert type(sources.names["one"]) is single.A
    assert sources.names["kept"] == (single.A, single.function)
    assert [(each.holder, "Gone was removed" in each.why) for each in stale] == [("gone", True)]
    held = sources.names["kept"]
    single.FAILS = True
    with pytest.raises(ZeroDivisionError):
        importlib.reload(single)
    sources.look()
    assert sources.names["kept"][0] is single.A is not held[0]
    assert sources.names["kept"][1] is single.function is held[1]


def test_what_was_imported_before_is_followed_with_all_that_imports_it(sources: Sources) -> None:
    sources.write({
        "pk/__init__.py": "",
        "pk/low.py": "VALUE = 1",
        "pk/high.py": "from .low import VALUE",
        "pk/other.py": "from . import low\nVALUE = low.VALUE",
    })  # fmt: skip
    high, other = sources.imported("pk.high"), sources.imported("pk.other")
    sources.start()
    sources.write({"pk/low.py": "VALUE = 2"})
    sources.look()
    assert (high.VALUE, other.VALUE) == (2, 2)


def test_a_path_that_is_importable_is_never_loaded_twice(sources: Sources) -> None:
    sources.write({
        "pk/__init__.py": "",
        "pk/fold.py": "from pk import shared\n@transform\nclass Fold:\n    def apply(self, model): pass\n",
        "pk/shared.py": "VALUE = 1",
    })  # fmt: skip
    sources.start(sources.folder / "pk" / "fold.py")
    fold = sources.imported("pk.fold")
    assert registry.snapshot.get("transform", "Fold").load() is fold.Fold  # type: ignore[union-attr]
    assert [name for name in sys.modules if "fold" in name.split(".")] == ["pk.fold"]
    sources.write({"pk/shared.py": "VALUE = 2"})
    sources.look()
    assert sources.imported("pk.fold") is fold
    assert fold.shared.VALUE == 2
    assert registry.snapshot.get("transform", "Fold").load() is fold.Fold  # type: ignore[union-attr]


def test_the_modules_of_a_package_that_is_given_and_importable_are_handled_like_plugin_files(sources: Sources) -> None:
    kernel = "@kernel\nclass A:\n    value = 1\n"
    sources.write({"pk/__init__.py": "", "pk/a.py": kernel, "pk/deep/__init__.py": "from .b import B", "pk/deep/b.py":
        "@kernel\nclass B: pass\n"})  # fmt: skip
    sources.start(sources.folder)
    sources.write({"pk/__init__.py": "# edited\n"})
    report, _ = sources.look()
    told = ["a.py defines plugins, but is not imported; add to __init__.py: from . import a"]
    assert [str(warning.message) for warning in report.warnings] == told
    assert sources.imported("pk.a").A is kernels.A
    assert sources.imported("pk.deep").B is kernels.B
    sources.write({"pk/a.py": kernel.replace("1", "2")})
    report, _ = sources.look()
    assert changes(report) == ["~ kernels.A value changed"]
    assert sources.reloader is not None
    assert {Path(path).name for path in sources.reloader.files} == {"__init__.py", "a.py", "b.py"}


def test_a_plugin_file_beside_does_not_shadow_a_package_under_development(sources: Sources, tmp_path: Path) -> None:
    sources.write({"pk/__init__.py": "VALUE = 'package'"})
    files(tmp_path / "plugins", {"pk.py": "", "use.py": "import pk\nVALUE = pk.VALUE"})
    sources.imported("pk")
    sources.start(tmp_path / "plugins")
    assert sources.imported("use").VALUE == "package"
    sources.write({"pk/__init__.py": "VALUE = 'edited'"})
    sources.look()
    assert sources.imported("use").VALUE == "edited"


@pytest.mark.parametrize(
    ("development", "is_followed"),
    [
        (Development(), True),
        (Development(is_on=False), False),
        (Development(named=["pk"], is_on=False), False),
    ],
    ids=["without asking", "switched off", "switched off, though named"],
)
def test_which_packages_are_followed(sources: Sources, development: Development, is_followed: bool) -> None:
    sources.write({"pk/__init__.py": "VALUE = 1"})
    sources.start(development=development)
    pk = sources.imported("pk")
    sources.write({"pk/__init__.py": "VALUE = 2"})
    sources.look()
    assert (pk.VALUE == 2) is is_followed


def test_an_installed_package_is_followed_if_it_is_named(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    sources.write({"site-packages/pk/__init__.py": "VALUE = 1"})
    monkeypatch.syspath_prepend(sources.folder / "site-packages")
    assert not Development().follows("pk", str(sources.folder / "site-packages" / "pk" / "__init__.py"))
    sources.start(development=Development(named=["pk"]))
    pk = sources.imported("pk")
    sources.write({"site-packages/pk/__init__.py": "VALUE = 2"})
    sources.look()
    assert pk.VALUE == 2


def test_what_others_may_have_written_is_imported_but_its_changes_are_not_executed(sources: Sources) -> None:
    sources.write({"pk/__init__.py": "VALUE = 1"})
    (sources.folder / "pk").chmod(0o777)
    development = Development()
    sources.start(development=development)
    pk = sources.imported("pk")
    sources.write({"pk/__init__.py": "VALUE = 2"})
    sources.look()
    assert pk.VALUE == 1
    (note,) = development.take_notes()
    assert note.startswith("changes of pk are not followed: anyone may write to ")
    assert note.endswith(f"chmod o-w {sources.folder / 'pk'}; or start with --trust")
    assert development.take_notes() == []


_OP = """
from qonnx.custom_op.base import CustomOp
from qonnx.custom_op.registry import add_op_to_domain

class Twice(CustomOp):
    factor = FACTOR
    def get_nodeattr_types(self): return {}
    def make_shape_compatible_op(self, model): pass
    def infer_node_datatype(self, model): pass
    def execute_node(self, context, graph): pass
    def verify_node(self): pass

add_op_to_domain("pk.domain", Twice)
"""

_PUBLISHED = """
    def publish():
        return {"kernels": [{"name": "Fast", "module": "pk.fast", "class_name": "Fast", "speed": SPEED}NEXT]}
    """


def test_what_an_entry_point_publishes_follows_its_module(sources: Sources) -> None:
    sources.write({
        "pk-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: pk\nVersion: 1\n",
        "pk-1.dist-info/entry_points.txt": "[bsrepl.plugins]\nacme = pk.publishing:publish\neager = pk.eager\n",
        "pk/__init__.py": "",
        "pk/fast.py": "class Fast:\n    value = 1",
        "pk/eager.py": "from bsrepl import kernel\n@kernel\nclass Eager:\n    value = 1",
        "pk/publishing.py": _PUBLISHED.replace("SPEED", "1").replace("NEXT", ""),
    })  # fmt: skip
    sources.start()
    assert sources.reloader is not None
    installed = Installed(registry, None)
    sources.reloader.follow_listings(installed)
    assert (kernels.acme.Fast.value, kernels.eager.Eager.value) == (1, 1)
    sources.write({
        "pk/fast.py": "class Fast:\n    value = 2",
        "pk/eager.py": "from bsrepl import kernel\n@kernel\nclass Eager:\n    value = 2",
    })  # fmt: skip
    report, _ = sources.look()
    assert changes(report) == ["~ kernels.acme.Fast value changed", "~ kernels.eager.Eager value changed"]
    assert (kernels.acme.Fast.value, kernels.eager.Eager.value) == (2, 2)
    more = ', {"name": "Slow", "module": "pk.fast", "class_name": "Fast"}'
    sources.write({"pk/publishing.py": _PUBLISHED.replace("SPEED", "3").replace("NEXT", more)})
    report, _ = sources.look()
    assert changes(report) == ["+ kernels.acme.Slow", "~ kernels.acme.Fast speed 1 -> 3"]
    sources.write({"pk/publishing.py": "def publish():\n    return {}"})
    report, _ = sources.look()
    assert changes(report) == ["- kernels.acme.Fast", "- kernels.acme.Slow"]


def changes(report: Report) -> list[str]:
    told = changes_between(report.before, report.after)
    return [" ".join([change.sign, str(change.plugin.key), ", ".join(change.details)]).strip() for change in told]


def test_a_compiled_module_that_changes_is_named(sources: Sources) -> None:
    spec = find_spec("_bisect")
    if spec is None or not isinstance(spec.loader, ExtensionFileLoader):
        pytest.skip("this Python has no compiled module in a file")
    file = Path(str(spec.origin))
    sources.write({"pk/__init__.py": ""})
    copy = Path(shutil.copy(file, sources.folder / "pk" / file.name))
    sources.start()
    sources.imported("pk._bisect")
    assert sources.reloader is not None
    assert sources.reloader.take_notes() == []
    copy.touch()
    message = "pk._bisect is compiled and cannot be executed again; start again to use the new one"
    assert sources.reloader.take_notes() == [message]
    assert sources.reloader.take_notes() == []


def test_python_s_import_is_its_own_again(sources: Sources) -> None:
    sources.write({"pk/__init__.py": "import other", "other.py": "1 / 0"})
    sources.start()
    before = builtins.__import__
    with pytest.raises(ZeroDivisionError):
        sources.imported("pk")
    assert builtins.__import__ is before
    sources.write({"other.py": "VALUE = 1"})
    sources.look()
    assert sources.imported("pk").other.VALUE == 1
    sources.write({"other.py": "VALUE = 2"})
    sources.look()
    assert builtins.__import__ is before


def test_a_warning_about_an_import_is_one_of_the_file_that_imports(sources: Sources) -> None:
    sources.write(
        {
            "pk/__init__.py": "import os\nfrom . import old",
            "pk/old.py": "import warnings\nwarnings.warn('old', FutureWarning, stacklevel=2)\nVALUE = 1",
        }
    )
    sources.start()
    with pytest.warns(FutureWarning) as caught:
        sources.imported("pk")
    assert [(Path(each.filename).parent.name, each.lineno) for each in caught] == [("pk", 2)]


def test_an_op_that_fails_leaves_nothing_with_qonnx(sources: Sources) -> None:
    sources.write({"pk/__init__.py": "", "pk/ops.py": _OP.replace("FACTOR", "1")})
    sources.start()
    ops = sources.imported("pk.ops")
    assert custom_ops.get_ops_in_domain("pk.domain") == [("Twice", ops.Twice)]
    sources.write({"pk/ops.py": _OP.replace("FACTOR", "2") + "\n1 / 0\n"})
    sources.look()
    assert custom_ops.get_ops_in_domain("pk.domain") == [("Twice", ops.Twice)]
    assert ops.Twice.factor == 1
    sources.write({"pk/ops.py": _OP.replace("FACTOR", "3")})
    sources.look()
    assert custom_ops.get_ops_in_domain("pk.domain") == [("Twice", ops.Twice)]
    assert ops.Twice.factor == 3
    custom_ops._OP_REGISTRY.pop("pk.domain")


def test_the_shell_leaves_packages_behind_as_they_are(sources: Sources) -> None:
    sources.write({"pk/__init__.py": "VALUE = 1"})
    sources.start()
    pk = sources.imported("pk")
    assert sources.reloader is not None
    sources.reloader.close()
    sources.reloader = None
    assert sys.modules["pk"] is pk
    sources.write({"pk/__init__.py": "VALUE = 2", "pk/late.py": "VALUE = 3"})
    import importlib

    assert importlib.reload(pk).VALUE == 2
    assert sources.imported("pk.late").VALUE == 3


def test_what_prints_on_import_prints_as_ever(sources: Sources, capsys: pytest.CaptureFixture[str]) -> None:
    sources.write({"single.py": "print('hello')"})
    sources.start()
    sources.imported("single")
    assert capsys.readouterr().out == "hello\n"
    sources.write({"single.py": "print('again')"})
    report, _ = sources.look()
    assert report.output == [(str(sources.folder / "single.py"), "again\n")]


@pytest.mark.parametrize(
    "hold", [lambda cls: cls(), lambda cls: [cls], lambda cls: (cls, 1)], ids=["an instance", "a list", "a tuple"]
)
def test_modules_outside_that_hold_something_follow(sources: Sources, hold: Callable[[Any], Any]) -> None:
    sources.write({"pk/__init__.py": "class A:\n    value = 1"})
    sources.start()
    module = type(sys)("outside")
    vars(module).update(A=sources.imported("pk").A, held=hold(sources.imported("pk").A))
    sys.modules["outside"] = module
    try:
        sources.write({"pk/__init__.py": "class A:\n    value = 2"})
        sources.look()
        held = vars(module)["held"]
        assert (held if not isinstance(held, (list, tuple)) else held[0]).value == 2
        assert vars(module)["A"].value == 2
    finally:
        del sys.modules["outside"]


def test_workers_see_what_is_live(tmp_path: Path) -> None:
    files(
        tmp_path,
        {
            "pk/__init__.py": "",
            "pk/work.py": "class Work:\n    def __call__(self, n):\n        return n + 1\n",
            "given/__init__.py": "",
            "given/part.py": "@kernel\nclass Part:\n    def __call__(self, n): return -n\n",
        },
    )
    file = tmp_path / "pk" / "work.py"
    commands = [
        "from pk.work import Work; work = Work()",
        f"import pathlib; file = pathlib.Path({str(file)!r})",
        "_ = file.write_text(file.read_text().replace('+ 1', '+ 2'))",
        "work(1)",
        "_ = file.write_text('1 / 0')",
        "from multiprocessing import get_context",
        "import given.part; pools = [get_context(how).Pool(1) for how in ('fork', 'spawn', 'forkserver')]",
        "[pool.map(work, [1, 2]) for pool in pools]",
        "[pool.map(given.part.Part(), [1]) for pool in pools]",
        "for pool in pools: pool.terminate()",
    ]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.reload.package_session", str(tmp_path / "given" / "__init__.py")],
        input="".join(f"{json.dumps(command)}\n" for command in commands),
        capture_output=True, text=True, env=environ, cwd=Path(__file__).parent.parent.parent, timeout=60, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[3]).endswith("\n3\n")
    assert json.loads(done.stdout.splitlines()[7]) == "[[3, 4], [3, 4], [3, 4]]\n"
    assert json.loads(done.stdout.splitlines()[8]) == "[[-1], [-1], [-1]]\n"


def test_what_dataclasses_generate_is_not_taken_for_old(sources: Sources) -> None:
    sources.write({"pk/__init__.py": "from .data import Size", "pk/data.py": DATA})
    sources.start()
    sources.names["held"] = [sources.imported("pk").Size, sources.imported("pk").Size(1)]
    sources.write({"pk/data.py": DATA + "EDITED = 1\n"})
    report, stale = sources.look()
    assert len(report.executed) == 2
    assert stale == []
    assert sources.names["held"][0] is sources.imported("pk").Size is type(sources.names["held"][1])


DATA = """\
from dataclasses import dataclass

@dataclass(frozen=True)
class Size:
    width: int
"""


def test_a_checkout_that_failed_and_is_taken_back_is_fixed(sources: Sources) -> None:
    before = {"pk/__init__.py": "", "pk/a.py": "from . import b", "pk/b.py": "VALUE = 1"}
    sources.write(before)
    sources.start()
    b = sources.imported("pk.a").b
    sources.write({"pk/a.py": "from . import b, c", "pk/b.py": "VALUE = 2", "pk/c.py": "1 / 0"})
    report, _ = sources.look()
    assert [failed.place for failed in report.failures] == ["c.py:1"]
    sources.write(before)
    report, _ = sources.look()
    assert (sources.failures(), list(report.failures), b.VALUE) == ([], [], 1)


def test_a_package_does_not_own_what_its_modules_register(sources: Sources) -> None:
    text = "from bsrepl import step\n@step\ndef {0}(model): return model\n"
    init = "from . import a, b\n"
    sources.write({"pk/__init__.py": init, "pk/a.py": text.format("a_step"), "pk/b.py": text.format("b_step")})
    sources.start()
    sources.imported("pk")
    sources.look()
    sources.write({"pk/__init__.py": init + "EDITED = 1\n"})
    report, _ = sources.look()
    assert changes_between(report.before, report.after) == []
    assert registry.snapshot.get("step", "b_step") is not None


CLASS = "import sys, types\nclass Kind(types.ModuleType):\n    value = VALUE\nsys.modules[__name__].__class__ = Kind\n"


def test_the_class_that_a_module_gives_itself_is_a_part_of_the_transaction(sources: Sources) -> None:
    sources.write({"pk/__init__.py": "", "pk/part.py": CLASS.replace("VALUE", "1")})
    sources.start()
    part = sources.imported("pk.part")
    sources.write({"pk/part.py": CLASS.replace("VALUE", "2")})
    sources.look()
    assert part.value == 2
    sources.write({"pk/part.py": CLASS.replace("VALUE", "3") + "1 / 0\n"})
    sources.look()
    assert part.value == 2
    sources.write({"pk/part.py": "other = 1\n"})
    sources.look()
    assert not hasattr(part, "value")


@pytest.mark.parametrize("base", ["types.ModuleType", "object"])
def test_what_a_module_puts_in_its_place_follows(sources: Sources, base: str) -> None:
    text = f"import sys, types\nclass Kind({base}):\n    value = 1\nsys.modules[__name__] = Kind"
    text += "(__name__)\n" if base != "object" else "()\n"
    sources.write({"pk/__init__.py": "", "pk/part.py": text})
    sources.start()
    held = sources.names["held"] = sources.imported("pk.part")
    sources.write({"pk/part.py": text.replace("1", "2")})
    _, stale = sources.look()
    assert (held.value, sources.imported("pk").part.value, stale) == (2, 2, [])
    sources.write({"pk/part.py": text.replace("1", "3") + "1 / 0\n"})
    sources.look()
    assert (held.value, sources.imported("pk.part").value) == (2, 2)


@pytest.mark.parametrize(
    "hostile",
    [
        "__name__ = 'other'",
        "__spec__ = __loader__ = __file__ = None",
        "del __builtins__",
        "def __reload__(old):\n    old.clear()\n    globals().clear()",
    ],
)
def test_a_module_that_forgets_what_it_is_can_be_edited_further(sources: Sources, hostile: str) -> None:
    sources.write({"pk/__init__.py": "", "pk/part.py": "VALUE = 1"})
    sources.start()
    part = sources.imported("pk.part")
    for value in (2, 3):
        sources.write({"pk/part.py": f"VALUE = {value}\n{hostile}\n"})
        sources.look()
    sources.write({"pk/part.py": "VALUE = 4"})
    sources.look()
    assert (part.VALUE, part.__name__, sources.failures()) == (4, "pk.part", [])

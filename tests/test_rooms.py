"""The rooms: imports go one way, and only the prompt knows ptpython."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "bsrepl"

#: From the ground up: each room imports only those before it. `errors.py` is open to all.
ROOMS = [
    "errors",
    "text",
    "registry",
    "graphdiff",
    "drawing",
    "frameworks",
    "reload",
    "models",
    "session",
    "teach",
    "manual",
    "shell",
    "hosts",
]

#: The parts of large rooms, in the same order; what is in the room itself may import them all.
PARTS = {
    "reload": ["files", "follow", "imports"],
    "models": ["runtime", "feeds", "proof", "process"],
}

MODULES = sorted(path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py"))


def tree(module: str) -> ast.Module:
    return ast.parse((PACKAGE / f"{module}.py").read_text())


@cache
def imports(module: str) -> set[str]:
    """The modules that one imports, those of this package by their paths in it."""
    folder = PACKAGE.joinpath(module).parent
    names = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(str(node.module))
        elif isinstance(node, ast.ImportFrom):
            base = folder.joinpath(*[".."] * (node.level - 1), *(node.module or "").split(".")).resolve()
            base_name = base.relative_to(PACKAGE).as_posix()
            names |= {f"./{base_name}"} if base_name != "." else {f"./{alias.name}" for alias in node.names}
    return names


def room(path: str) -> str:
    return path.removeprefix("./").partition("/")[0]


def part(path: str) -> str:
    """The part of its room that a module is in; empty if it is in the room itself."""
    folders = path.removeprefix("./").split("/")
    return folders[1] if folders[1:] and folders[1] in PARTS.get(folders[0], ()) else ""


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_imports_only_rooms_before_it(name: str) -> None:
    allowed = [*ROOMS[: ROOMS.index(name) + 1], "__version__"]
    upward = [
        (module, imported)
        for module in MODULES
        if room(module) == name
        for imported in imports(module)
        if imported.startswith("./") and room(imported) not in allowed
    ]
    assert upward == []


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_a_room_imports_only_parts_before_it(name: str) -> None:
    order = [*PARTS[name], ""]
    upward = [
        (module, imported)
        for module in MODULES
        if room(module) == name
        for imported in imports(module)
        if imported.startswith(f"./{name}/") and order.index(part(imported)) > order.index(part(module))
    ]
    assert upward == []


def test_every_module_is_in_a_room_and_says_what_it_is_for() -> None:
    assert {room(module) for module in MODULES} == {"__init__", "__main__", *ROOMS}
    for module in MODULES:
        assert ast.get_docstring(tree(module)), module


def test_only_the_prompt_imports_ptpython() -> None:
    importers = {
        module
        for module in MODULES
        if {name.partition(".")[0] for name in imports(module)} & {"ptpython", "prompt_toolkit"}
    }
    assert {Path(module).parent.as_posix() for module in importers} == {"shell/prompt"}


def test_only_the_hosts_import_ipython() -> None:
    importers = [module for module in MODULES if any(name.partition(".")[0] == "IPython" for name in imports(module))]
    assert {room(module) for module in importers} == {"hosts"}


def test_the_front_of_a_room_is_one_line() -> None:
    fronts = [module for module in MODULES if module.endswith("/__init__")]
    assert [module for module in fronts if len(tree(module).body) > 1] == ["graphdiff/__init__"]

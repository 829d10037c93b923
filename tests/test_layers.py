"""Imports go downward only, and only the shell knows ptpython."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "bsrepl"

LAYERS = [
    [
        "alignment",
        "applied",
        "awaiting",
        "counted",
        "dependencies",
        "errors",
        "graph_view",
        "groups",
        "highlight",
        "index",
        "live",
        "interrupts",
        "notebook",
        "persistent",
        "places",
        "safe_repr",
        "samples",
        "starter",
        "table",
        "terminal",
        "tracebacks",
        "trust",
        "unavailable",
    ],
    ["discovery", "graph_match", "lesson", "loading", "onnx_text", "pasted", "plugin", "qonnx_steps", "watch"],
    [
        "disk",
        "display",
        "graphdiff",
        "probes",
        "installed_brainsmith",
        "plugin_data",
        "recording",
        "registry",
        "source_text",
    ],
    ["analyses", "brainsmith_source", "custom_ops", "finn_source", "kernel_backends"],
    ["changes", "execution", "name_index", "namespaces", "qonnx_source", "remove_identity"],
    ["contradictions", "frameworks", "rebind", "verify"],
    ["loader", "proof"],
    ["decorators", "details", "hints", "session"],
    ["brainsmith_plugins", "entry_points", "failure", "graph_words", "lint", "pipeline"],
    ["brainsmith_registry", "installed", "models", "reload", "trace"],
    ["board", "guide", "rerun", "sources", "survey"],
    ["brainsmith_imports", "render", "reproduction"],
    ["board_text", "lesson_text", "workbench"],
    ["play", "tour"],
    ["check", "commands", "completion", "entering", "history", "styles"],
    ["console"],
    ["shell"],
    ["__init__", "__main__"],
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py"))


def imports(module: str) -> set[str]:
    """The modules that one imports: those of the package with a dot in front."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            found |= {f".{node.module}"} if node.module else {f".{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
    return found - {".__version__"}


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_downward(module: str) -> None:
    upward = [name for name in imports(module) if name.startswith(".") and LEVEL[name[1:]] >= LEVEL[module]]
    assert upward == []


def test_only_the_shell_and_what_it_is_made_of_import_ptpython() -> None:
    importers = {module for module in MODULES if imports(module) & {"ptpython", "prompt_toolkit"}}
    assert importers == {"shell", "completion", "entering", "history", "styles"}


def test_every_module_has_a_layer_and_says_what_it_is_for() -> None:
    assert sorted(LEVEL) == MODULES
    for module in MODULES:
        assert ast.get_docstring(ast.parse((PACKAGE / f"{module}.py").read_text())), module


def test_the_readme_maps_every_module() -> None:
    readme = (PACKAGE.parent / "README.md").read_text()
    table = readme.partition("## Where things are")[2].partition("\n\nImports")[0]
    assert [module for module in MODULES if f"`{module}.py`" not in table] == ["__init__"]

"""Pasted code, before and after."""

from __future__ import annotations

import ast
import json

import pytest

from bsrepl.session import syntax as notebook
from bsrepl.session.pasted import cleaned


def runs(text: str) -> bool:
    try:
        notebook.parse(text)
    except SyntaxError:
        return False
    return True


UNTOUCHED = {
    "code": "x = 1\nclass A:\n\n    y = 2\n",
    "a prompt in a string": 'x = """\n>>> 1\n"""',
    "a fence in a string": "x = '''\n```\n'''",
    "spaces that are none of Python's, in a string": "x = 'a\u00a0b'",
    "a question": "tfm.FoldConstants?",
    "a system command in a block": "for n in range(2):\n    !echo {n}\nprint('a!')",
    "an ellipsis": "...",
    "nothing": "",
    "what nothing can mend": "class class",
}


@pytest.mark.parametrize("text", UNTOUCHED.values(), ids=UNTOUCHED)
def test_what_runs_and_what_nothing_can_mend_is_not_touched(text: str) -> None:
    assert cleaned(text, runs).text == text
    assert cleaned(text, runs).steps == ()


SESSIONS = {
    "a doctest": (
        ">>> x = 1\n>>> x + 1\n2\n",
        "x = 1\nx + 1",
        "2 prompts and 1 line of output left out",
    ),
    "a block, indented, with prose before it": (
        "Try this:\n    >>> for n in range(2):\n    ...     print(n)\n    ...\n    0\n    1\n",
        "for n in range(2):\n    print(n)\n",
        "1 prompt and 3 lines of output left out",
    ),
    "a class with a blank line inside": (
        ">>> class A:\n...     x = 1\n...\n...     y = 2\n... \n>>> A.y\n2",
        "class A:\n    x = 1\n\n    y = 2\n\nA.y",
        "2 prompts and 1 line of output left out",
    ),
    "a failing plugin file's prompt": ("!>> x = 1", "x = 1", "1 prompt left out"),
    "IPython": (
        "In [1]: x = 1\n\nIn [2]: for n in range(2):\n   ...:     print(n)\n   ...: \n0\n1\n\nIn [3]: x\nOut[3]: 1\n",
        "x = 1\nfor n in range(2):\n    print(n)\n\nx",
        "3 prompts and 3 lines of output left out",
    ),
    "a notebook": (
        "In [12]:\nimport os\n\nclass A:\n    x = 1\nIn [ ]:\nA.x\nOut[13]:\n1\n",
        "\nimport os\n\nclass A:\n    x = 1\n\nA.x",
        "2 prompts and 2 lines of output left out",
    ),
}


@pytest.mark.parametrize(("text", "code", "said"), SESSIONS.values(), ids=SESSIONS)
def test_prompts_and_outputs_are_left_out(text: str, code: str, said: str) -> None:
    found = cleaned(text, runs)
    assert found.text.strip() == code.strip()
    assert found.steps == (said,)


FENCES = {
    "a block": ("Do this:\n\n```python\nx = 1\n```\nand be happy", "x = 1"),
    "two blocks": ("```py\nx = 1\n```\ntext\n~~~python\nx\n~~~", "x = 1\nx"),
    "a block that says nothing beside Python's": ("```python\nx = 1\n```\n~~~\n+ tfm.X\n~~~", "x = 1"),
    "blocks that say nothing": ("```\nx = 1\n```\n```\nx\n```", "x = 1\nx"),
    "a block that holds a fence": ("````\n```python\nx\n```\n````\n```python\nx = 1\n```", "x = 1"),
    "a file": ("```python file=fold.py\nx = 1\n```", "x = 1"),
    "a shell's prompt": ("```\n!>> x = 1\n```", "x = 1"),
    "a shell's block beside Python's": ("```bash\npip install x\n```\n```python\nx = 1\n```", "x = 1"),
    "in a list": ("1. first\n   ```python\n   if x:\n       y = 1\n   ```", "if x:\n    y = 1"),
    "the closing fence was not selected": ("```python\nx = 1\ny = 2", "x = 1\ny = 2"),
    "the opening fence was not selected": ("x = 1\n```\n", "x = 1"),
    "a session": ("```pycon\n>>> x = 1\n>>> x\n1\n```", "x = 1\nx"),
}


@pytest.mark.parametrize(
    "text",
    ["```python\n# a comment\n```", "Nothing:\n```python\n```\n", ">>> \n>>> # x\n",
     "```bash\nls\n```", "Printed:\n```output\n3\n```\n```json\n{}\n```\n", '{"cells": [], "nbformat": 4}'],
)  # fmt: skip
def test_what_leaves_nothing_to_run_says_so(text: str) -> None:
    found = cleaned(text, runs)
    assert found.text == ""
    assert found.steps[-1] == "nothing is left to run"


def test_of_a_notebooks_file_the_code_cells_are_kept() -> None:
    cells = [
        {"cell_type": "code", "source": ["x = 1\n", "x"], "outputs": [], "execution_count": None},
        {"cell_type": "markdown", "source": "no code"},
        {"cell_type": "code", "source": "x + 1", "outputs": [], "execution_count": 3},
    ]
    found = cleaned(json.dumps({"cells": cells, "nbformat": 4}), runs)
    assert (found.text, found.steps) == ("x = 1\nx\nx + 1", ("2 code cells of a notebook",))
    program = 'x = """\n```\n"nbformat"\n```\n"""'
    assert cleaned(program, runs).text == program


@pytest.mark.parametrize(("text", "code"), FENCES.values(), ids=FENCES)
def test_markdown_is_left_out(text: str, code: str) -> None:
    found = cleaned(text, runs)
    assert found.text.strip() == code
    assert found.steps[0].startswith("Markdown")


MENDED = {
    "typographic quotes": ("print(\u201chello\u201d, \u2018it\u2019)", "print(\"hello\", 'it')"),
    "an apostrophe in a typographic string": ("x = \u201cit\u2019s\u201d", 'x = "it\u2019s"'),
    "a straight quote in a typographic string": ('x = \u201ca " b\u201d', 'x = "a \\" b"'),
    "a typographic docstring": ("\u201c\u201d\u201ddoc\u201d\u201d\u201d", '"""doc"""'),
    "no-break spaces, but for those in a string": (
        "if\u00a0True:\n\u00a0\u00a0x = '\u00a0'",
        "if True:\n  x = '\u00a0'",
    ),
    "a byte order mark": ("\ufeffx = 1", "x = 1"),
    "a quote in a comment stays": ("x\u00a0= 1  # it\u2019s", "x = 1  # it\u2019s"),
}


@pytest.mark.parametrize(("text", "code"), MENDED.values(), ids=MENDED)
def test_what_a_keyboard_does_not_type_is_mended_and_said(text: str, code: str) -> None:
    found = cleaned(text, runs)
    assert found.text == code
    assert found.steps == ("typographic spaces and quotes replaced",)


INDENTED = {
    "a method": ("    def f():\n        return 1\n", "def f():\n    return 1\n"),
    "by tabs": ("\tdef f():\n\t\treturn 1", "def f():\n\treturn 1"),
    "with a string that is not": ('    x = """\nword\n    """\n    y = 1', 'x = """\nword\n    """\ny = 1'),
    "but for the line where the selection began": ("x = 1\n    y = 2\n    z = 3", "x = 1\ny = 2\nz = 3"),
    "by one space": (" f(\n     1,\n     )", "f(\n    1,\n    )"),
    "Windows' line ends": ("    if x:\r\n        y = 1\r\n", "if x:\n    y = 1\n"),
}


@pytest.mark.parametrize(("text", "code"), INDENTED.values(), ids=INDENTED)
def test_common_indentation_is_taken_off(text: str, code: str) -> None:
    found = cleaned(text, runs)
    assert found.text == code
    assert found.steps == ()


def test_tabs_among_spaces_are_made_spaces() -> None:
    found = cleaned("if x:\n        y = 1\n\tz = 2", runs)
    assert found.text == "if x:\n        y = 1\n        z = 2"
    assert found.steps == ("tabs replaced by spaces",)


TRANSLATED = {
    "! ls": "__system__('ls')",
    "x = !ls -l": "x = __system_lines__('ls -l')",
    "  if x:\n    !echo it's": "",
    "!echo it's (": '__system__("echo it\'s (")',
    "a = 1\n!ls\n!pwd\na": "a = 1\n__system__('ls')\n__system__('pwd')\na",
    "tfm.FoldBias?": "show(tfm.FoldBias)",
    "tfm.FoldBias??": "source(tfm.FoldBias)",
    "import numpy as np; np?": "import numpy as np; show(np)",
    "?tfm": "show(tfm)",
    "?": "help()",
    "%matplotlib inline": "__magic__('matplotlib', ' inline')",
    "%%time\nx = 1": "pass\nx = 1",
    "%time f(x)": "f(x)",
    'x = """\n!ls\n"""': 'x = """\n!ls\n"""',
}


@pytest.mark.parametrize(("text", "python"), TRANSLATED.items(), ids=map(repr, TRANSLATED))
def test_what_notebooks_write_besides_python(text: str, python: str) -> None:
    if python:
        assert ast.dump(notebook.parse(text)) == ast.dump(ast.parse(python))
    else:
        with pytest.raises(SyntaxError):
            notebook.parse(text)


EXPANDED = {
    "ls {folder}": "ls /tmp",
    "ls $folder/x": "ls /tmp/x",
    "echo {number + 1}": "echo 8",
    "echo $HOME ${folder} \\$folder": "echo $HOME ${folder} \\$folder",
    "awk '{print $1}' {folder}": "awk '{print $1}' /tmp",
    "echo {unknown}": "echo {unknown}",
}


@pytest.mark.parametrize(("command", "expanded"), EXPANDED.items(), ids=EXPANDED)
def test_a_system_command_takes_what_is_in_braces_from_the_session(command: str, expanded: str) -> None:
    names: dict[str, object] = {"folder": "/tmp", "number": 7}
    assert notebook.expanded(command, names, lambda expression: eval(expression, names)) == expanded


def test_a_long_paste_is_read_a_fixed_number_of_times() -> None:
    text = "\n".join(f">>> x{n} = {n}" for n in range(5_000))
    asked = []
    assert len(cleaned(text, lambda code: not asked.append(code) and runs(code)).text.split("\n")) == 5_000  # type: ignore[func-returns-value]
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("%autoreload 2\nx = !ls\n%time f(x)\nx?", "# %autoreload 2\n# x = !ls\nf(x)\n# x?"),
        ("if x:\n    !echo {x}", "if x:\n    pass  # !echo {x}"),
        ("x = (", "x = ("),
        ("await f()", "await f()"),
    ],
)
def test_what_a_python_file_cannot_hold_is_a_comment_there(text: str, python: str) -> None:
    assert notebook.python_alone(text) == python

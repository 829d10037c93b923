"""What an error of a command looks like, and what it says to write instead."""

from __future__ import annotations

import re
import sys

import pytest

from bsrepl.text.tracebacks import narrowed

from ..conftest import Screen


def test_a_traceback_begins_at_the_users_code_and_shows_it(screen: Screen) -> None:
    told = screen.type("def f(x):\n    return 1 / x\n\nf(0)")
    assert told.startswith('Traceback (most recent call last):\n  File "<command 1>", line 4, in <module>\n    f(0)\n')
    assert "    return 1 / x\n" in told
    if sys.version_info >= (3, 11):
        assert "           ~~^~~\n" in told
    assert told.endswith("ZeroDivisionError: division by zero\nstopped at line 4 of 4; the lines before it have run\n")


def test_frames_of_libraries_are_folded_but_for_the_last(screen: Screen) -> None:
    told = screen.type('import json\njson.loads("{")')
    assert "  ... 2 frames in json; errors() shows them\n" in told
    assert 'decoder.py", line' in told
    assert "in raw_decode" in told
    assert told.count("File") == 2
    assert screen.type("errors()").count("File") == 4


def test_code_that_a_library_calls_is_shown(screen: Screen) -> None:
    told = screen.type("import functools\nfunctools.reduce(lambda a, b: a / b, [1, 0])")
    assert told.count('File "<command 1>"') == 2
    told = screen.type("import json\nclass A: pass\njson.dumps([A()], default=lambda it: it.gone)")
    assert "in <lambda>" in told
    assert re.search(r"\.\.\. \d frames in json; errors\(\) shows them\n", told)


def test_the_last_error_is_told_whole_by_errors(screen: Screen) -> None:
    screen.type('import json\njson.loads("{")')
    assert screen.type("errors()").endswith("no plugin file fails\n")
    assert "JSONDecodeError: Expecting property name" in screen.type("errors()")


def test_from_none_hides_the_context_and_causes_are_told(screen: Screen) -> None:
    raising = "try:\n    [][0]\nexcept IndexError as error:\n    raise KeyError('k') from {}"
    assert "IndexError" not in screen.type(raising.format("None"))
    assert "IndexError" in screen.type(raising.format("error"))
    assert "direct cause" in screen.type(raising.format("error"))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups and notes came with Python 3.11")
def test_groups_and_notes_are_told(screen: Screen) -> None:
    told = screen.type(
        "error = ValueError('first')\nerror.add_note('look here')\n"
        "raise ExceptionGroup('several', [error, OSError('x')])"
    )
    assert "ExceptionGroup: several (2 sub-exceptions)" in told
    assert "| ValueError: first\n    | look here\n" in told
    assert "| OSError: x" in told


def test_an_endless_recursion_is_told_in_a_few_lines(screen: Screen) -> None:
    told = screen.type("def even(n): return odd(n)\ndef odd(n): return even(n)\neven(1)")
    assert "RecursionError" in told
    assert " more frames; errors() shows them\n" in told
    assert len(told.splitlines()) < 200


def test_a_block_says_how_far_it_came(screen: Screen) -> None:
    told = screen.type("x = 1\ny = (\n    1 / 0\n)\nz = 3")
    assert "stopped at line 3 of 5; the lines before it have run\n" in told
    assert "stopped" not in screen.type("(\n1 / 0)")


MODEL = 'm = load("mnist-conv")'
SLIPS = {
    "the model alone": (
        "class Fold:\n    def apply(self, model):\n        return model\nm.transform(Fold())",
        "Fold.apply returned a ModelWrapper alone (<command 2>:2); it has to return a pair: return model, False",
    ),
    "nothing": (
        "class Fold:\n    def apply(self, model):\n        model\nm.transform(Fold())",
        "Fold.apply returned None (<command 2>:2); it has to return a pair",
    ),
    "a class": ("m.transform(tfm.FoldConstants)", "give transform() an instance: FoldConstants()"),
}


@pytest.mark.parametrize(("command", "hint"), SLIPS.values(), ids=SLIPS)
def test_slips_in_calling_transform_are_told_in_words(screen: Screen, command: str, hint: str) -> None:
    screen.type(MODEL)
    assert hint in screen.type(command).replace("\n  ", " ")


def test_a_type_error_inside_apply_is_no_slip(screen: Screen) -> None:
    screen.type(MODEL)
    assert "hint" not in screen.type("class Fold:\n    def apply(self, model):\n        a, b = 1\nm.transform(Fold())")


def test_an_apply_that_never_ends_is_told_when_it_is_stopped(screen: Screen) -> None:
    screen.type(MODEL)
    told = screen.type(
        "import signal\nclass Fold:\n    times = 0\n    def apply(self, model):\n        self.times += 1\n"
        "        if self.times > 3: signal.raise_signal(signal.SIGINT)\n        return model, True\nm.transform(Fold())"
    )
    assert "interrupted in apply, <command 2>:6\n" in told
    assert "calls Fold.apply again as long as its second return value is True" in told.replace("\n  ", " ")
    assert ", 4 times so far;" in told.replace("\n  ", " ")


OUTDATED = {
    "from qonnx.transformation.general import ApplyConfig": "from finn.transformation.general import ApplyConfig",
    "import qonnx.custom_op.general as g; g.custom_op['A'] = 1": "add_op_to_domain(",
    "from qonnx.custom_op.general import custom_op": "from qonnx.custom_op.registry import add_op_to_domain",
    "from qonnx.transformation.general import RemoveIdentityOps": "from qonnx.transformation.remove import",
    "import brevitas_of_old": "%pip install brevitas_of_old",
}


@pytest.mark.parametrize(("command", "hint"), OUTDATED.items(), ids=OUTDATED)
def test_what_qonnx_no_longer_has_is_told_with_what_to_write_now(screen: Screen, command: str, hint: str) -> None:
    assert hint in screen.type(command).replace("\n  ", " ")


def test_awaiting_outside_of_functions(screen: Screen) -> None:
    screen.type("import asyncio\nasync def f(): await asyncio.sleep(0); return 42")
    assert screen.type("await f()") == "42\n"
    screen.type("task = asyncio.ensure_future(f()) if False else None\nx = await f() + 1")
    assert screen.type("x") == "43\n"
    told = screen.type("async def g(): raise ValueError(1)\nawait g()")
    assert told.startswith('Traceback (most recent call last):\n  File "<command ')
    assert "ValueError" in told
    assert "asyncio" not in told


def test_an_awaited_command_that_is_stopped_is_cancelled(screen: Screen) -> None:
    told = screen.type(
        "import asyncio, signal\nasync def f():\n"
        "    asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)\n"
        "    try:\n        await asyncio.sleep(100)\n    finally:\n        globals().update(cleaned='up')\nawait f()"
    )
    assert "interrupted" in told
    assert screen.type("cleaned") == "'up'\n"


def test_a_message_that_is_too_long_is_cut_and_that_is_said(screen: Screen) -> None:
    told = screen.type("raise ValueError('word\\n' * 1_000)")
    assert "ValueError: word" in told
    assert len(told.splitlines()) < 310
    assert re.search(r"\.\.\. \d+ more lines; errors\(\) shows them\n", told)


def test_what_watches_transform_is_not_in_a_traceback(screen: Screen) -> None:
    screen.type("from qonnx.transformation.base import Transformation")
    screen.type("class Fails(Transformation):\n    def apply(self, model):\n        raise RuntimeError('no')")
    screen.type("m = load('mnist-conv')")
    told = screen.type("m.transform(Fails())")
    assert "RuntimeError: no" in told
    assert "observing.py" not in told


def test_in_a_narrow_terminal_no_line_of_a_traceback_is_broken_inside_a_word() -> None:
    trace = (
        'Traceback (most recent call last):\n  File "<command 8>", line 1, in <module>\n    Out[1]\n    ~~~^^^\n'
        '    transformed = transformation.apply(a_model)\n                  ^^^^^^^^^^^^^^^^^^^^^\n'
        "AttributeError: 'Namespace' object has no attribute 'Doubles'\n"
    )  # fmt: skip
    assert narrowed(trace, 100) == trace
    assert narrowed(trace, 40) == (
        'Traceback (most recent call last):\n  File "<command 8>", line 1, in\n    <module>\n    Out[1]\n    ~~~^^^\n'
        "    transformed =\n      transformation.apply(a_model)\n"
        "AttributeError: 'Namespace' object has\n  no attribute 'Doubles'\n"
    )

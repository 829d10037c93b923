"""A command that is called wrongly says what it takes, with an example; as a value it shows that too."""

from __future__ import annotations

import pytest

from bsrepl.shell.command import EXAMPLES

from ..conftest import Screen, unwrapped


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("tour.savee()", "AttributeError: tour has no 'savee'; nearest: save\n"),
        ("tour.save(3)", "TypeError: tour.save() takes no arguments\n"),
        ("tour.next(stps=2)", "TypeError: got an unexpected keyword argument 'stps'; tour.next(steps=1)\n"),
        ("backends.for_kernel()", "TypeError: missing: kernel; backends.for_kernel(kernel)\n"),
        ("tfm.find(1, 2)", "TypeError: too many arguments; tfm.find(text=None, /, **criteria)\n"),
        ("tfm.qonnx.FoldConstantz", "AttributeError: tfm.qonnx has no 'FoldConstantz'; nearest: FoldConstants"),
        ("load.mnist", "AttributeError: load is a command and has no 'mnist'; call it as load(name, *, trust=False)\n"),
        ("show()", "WrongCall: thing is missing; show(thing, "),
        ("load()", 'WrongCall: name is missing; load(name, *, trust=False), for example load("mnist-conv")\n'),
        ("load('mnist')", "ModelNotFound: no model 'mnist'; nearest: mnist-conv\n"),
        ("load(3)", "UnreadableModel: load takes a path"),
        ("tfm['FoldBias']", "UnknownPlugin: tfm has no 'FoldBias'"),
        ("show('FoldConstant')", "UnknownPlugin: no plugin 'FoldConstant'; nearest: FoldConstants"),
        ("source('FoldConstant')", "UnknownPlugin: no plugin 'FoldConstant'; nearest: FoldConstants"),
        ("lesson('nosuch.md')", "LessonError: no lesson nosuch.md\n"),
        ("record('/nosuch/x.py')", "RecordingError: /nosuch/x.py cannot be written: No such file or directory\n"),
        ("bench('x')", "WrongCall: runs takes a number of runs, 1 or more, not 'x'; bench(runs=3), for example "),
        ("bench(0)", "WrongCall: runs takes a number of runs, 1 or more, not 0; "),
        ("verify('mnist-conv', 3)", "WrongCall: after takes a model, the name of a sample or the path of an ONNX file"),
        ("verify('mnist-conv')", "WrongCall: after is missing; verify(before, after, "),
        ("trace(3, [])", "WrongCall: model takes a model"),
        ("inference_cost(3)", "WrongCall: model takes a model"),
        ("range_analysis('mnist-conv', 3)", "WrongCall: irange takes a pair"),
        ("passes(None)", "WrongCall: model takes a model"),
        ("reproduce(3)", "WrongCall: folder takes a path, not 3"),
        ("range_analysis('mnist-conv', (5, 1))", "WrongCall: irange takes a pair"),
        ("range_analysis('mnist-conv', report_mode='x')", 'WrongCall: report_mode takes "range", '),
        ("inference_cost('mnist')", "ModelNotFound: no model 'mnist'; nearest: mnist-conv\n"),
        ("load('x' * 5000)", "ModelNotFound: no model 'xxx"),
        ("load('~no_such_user/x.onnx')", "ModelNotFound: no model '~no_such_user/x.onnx'"),
        ("load('mnist-conv', trust='no')", "WrongCall: trust takes True or False, not 'no'"),
        ("record('\\0.py')", "WrongCall: path takes a path, not '\\x00.py'"),
        ("record('~no_such_user/x.py')", "RecordingError: ~no_such_user/x.py cannot be written"),
        ("show('mnist-conv', op=3)", "WrongCall: op takes an op type, not 3"),
        ("show('mnist-conv', lines=-3)", "WrongCall: lines takes a number of lines; 0 is all, not -3"),
        ("before('m', 'x')", "WrongCall: commands takes a number of commands, 1 or more, not 'x'"),
        ("passes('mnist-conv', limit=float('nan'))", "WrongCall: limit takes a number of seconds, not nan"),
        ("verify('mnist-conv', 'mnist-conv', tolerance=-1)", "WrongCall: tolerance takes a relative difference, "),
        ("verify('mnist-conv', 'mnist-conv', shapes=3)", "WrongCall: shapes takes sizes by the names of dimensions, "),
        ("verify('mnist-conv', 'mnist-conv', lively=1)", "WrongCall: got an unexpected keyword argument 'lively'; "),
        ("diff('mnist-conv', 'mnist-conv', lively=1)", "WrongCall: got an unexpected keyword argument 'lively'; "),
        ("diff('mnist-conv', 'mnist-conv', inputs='no.npz')", "UnreadableInputs: no.npz cannot be read"),
        ("trace('mnist-conv', tfm.InferShapes, lively=1)", "WrongCall: got an unexpected keyword argument 'lively'; "),
        ("watch('mnist-conv', tfm.InferShapes, lively=1)", "WrongCall: got an unexpected keyword argument 'lively'; "),
        ("sweep(3, 'mnist-conv')", "WrongCall: a pass is a transformation such as "),
        ("sweep([], 'mnist-conv')", "WrongCall: a pass is a transformation such as "),
        ("sweep(tfm.InferShapes, 'mnist-conv', executor=3)", "WrongCall: executor takes an executor, "),
        ("tfm[3]", "WrongCall: tfm[...] takes the name of a plugin, as tfm[\"NAME\"], not 3\n"),
        ("tfm.qonnx[[]]", "WrongCall: tfm.qonnx[...] takes the name of a plugin"),
        ("tfm.find(3)", "WrongCall: tfm.find takes a part of a name"),
        ("steps.find(name=3)", "WrongCall: steps.find takes a part of a name"),
        ("backends.for_kernel(3)", "WrongCall: for_kernel takes the name of a kernel"),
        ("tour('x.md')", "WrongCall: tour() takes no arguments; lesson(PATH) leads through"),
        ("retry(1, 2)", "WrongCall: too many positional arguments; retry(file=None)"),
        ("status(lively=True)", "WrongCall: got an unexpected keyword argument 'lively'; status(*, live=False)"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_told_without_a_traceback(screen: Screen, command: str, message: str) -> None:
    told = screen.type(command)
    assert unwrapped(told).startswith(message)
    assert "File" not in told


def test_the_users_code_that_called_it_is_shown(screen: Screen) -> None:
    told = screen.type("def f():\n    return load('mnist')\nf()")
    assert "in f\n    return load('mnist')" in told
    assert "ModelNotFound: no model 'mnist'; nearest: mnist-conv\n" in told
    assert "bsrepl/" not in told


def test_every_command_has_an_example_and_shows_it(screen: Screen) -> None:
    commands = {name: value for name, value in screen.commands.items() if name != "tour"}
    assert commands.keys() == EXAMPLES.keys()
    for name in commands:
        told = screen.type(name)
        assert told.startswith(f"{name}("), name
        assert EXAMPLES[name] in told
        assert screen.type(f"help({name!r})").startswith(screen.type(f"help({name})").rstrip()) or name == "help"


def test_help_has_the_tour_and_the_magics_and_says_where_to_look(screen: Screen) -> None:
    told = screen.type("help()")
    assert "\n  tour()" in told
    assert "\n  %magic" in told
    assert screen.type("help('tour')") == screen.type("help('teaching')")
    assert screen.type("help('magics')") == screen.type("help('prompt')")
    told = screen.type("help('nosuch')")
    assert told == "UnknownPlugin: no plugin 'nosuch'; tfm.all() lists some; help() lists pages and commands\n"


def test_help_on_a_namespace_says_how_to_reach_its_plugins(screen: Screen) -> None:
    told = screen.type("help(tfm)")
    assert told.startswith("<tfm: 65 transforms")
    assert "tfm.qonnx" in told
    assert screen.type("help(tfm.qonnx)").startswith("<tfm.qonnx: 64 transforms")

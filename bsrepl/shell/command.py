"""A command of the shell: what it takes, an example, and one rule for what happens when it is called wrongly."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, overload

from ..errors import WrongCall
from ..text.columns import cut
from ..text.format import safe_repr
from ..text.onnx_values import is_model
from ..text.patterns import late_pattern
from ..text.prose import filled
from ..text.styled import Styled, Text, wrapped

#: How each command is called; the names in it are such as a session has.
EXAMPLES: Mapping[str, str] = {
    "draw": 'draw(m, "m.svg")',
    "inputs": 'inputs(m, "samples.npz")',
    "show": "show(tfm.FoldConstants)",
    "source": "source(tfm.FoldConstants)",
    "changes": "changes()",
    "errors": "errors()",
    "retry": 'retry("fold.py")',
    "watching": "watching()",
    "status": "status(live=True)",
    "bench": "bench(3)",
    "frameworks": "frameworks()",
    "load": 'load("mnist-conv")',
    "verify": 'verify("mnist-conv", m)',
    "diff": 'diff("mnist-conv", m)',
    "before": "before(m)",
    "history": 'history("m")',
    "trace": "trace(m, [tfm.InferShapes, tfm.FoldConstants])",
    "watch": "watch(m, tfm.FoldConstants)",
    "passes": "passes(m)",
    "sweep": 'sweep(tfm.FoldConstants, "models/")',
    "reproduce": 'reproduce("report")',
    "inference_cost": "inference_cost(m)",
    "range_analysis": "range_analysis(m, (0, 255))",
    "record": 'record("session.py")',
    "help": 'help("load")',
    "lesson": 'lesson("exercise.md")',
}

_END = "\n"  # of the first line of a value
_REPORTS = ("range", "stuck_channel", "zerostuck_channel")
_MISSING = late_pattern("missing a required argument: '(.*)'")

_Check = tuple[str, Callable[[Any], bool]]  # what a value has to be, in words, and whether one is that


def _may_be_model(value: Any) -> bool:
    return is_model(value) or isinstance(value, (str, bytes, os.PathLike))


def _may_be_models(value: Any) -> bool:
    return all(map(_may_be_models, value)) if isinstance(value, (tuple, list)) else _may_be_model(value)


def _is_path(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike)) and "\0" not in os.fsdecode(value)


def _is_count(value: Any) -> bool:
    return _is_whole(value) and value > 0


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_amount(value: Any) -> bool:
    try:
        return not isinstance(value, (bool, str)) and 0 <= float(value) < math.inf
    except (TypeError, ValueError):
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_range(value: Any) -> bool:
    import numpy as np  # only now: many sessions have no arrays

    try:
        least, greatest = (np.asarray(end, dtype=float) for end in value)
        return bool(np.all(least <= greatest))
    except (TypeError, ValueError):
        return False


def _is_sizes(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)


_MODEL: _Check = ("a model, the name of a sample or the path of an ONNX file", _may_be_model)
_MODELS: _Check = ("models, a list of them, a folder of ONNX files, or a glob", _may_be_models)
_PATH: _Check = ("a path", _is_path)
#: What the parameters of these names take, whichever command has them.
_CHECKS: Mapping[str, _Check] = {
    "model": _MODEL,
    "before": _MODEL,
    "models": _MODELS,
    "after": _MODEL,
    "path": _PATH,
    "folder": _PATH,
    "file": _PATH,
    "runs": ("a number of runs, 1 or more", _is_count),
    "irange": ("a pair, the smallest and the largest value of the inputs", _is_range),
    "shapes": ('sizes by the names of dimensions, as {"N": 4}', _is_sizes),
    "tolerance": ("a relative difference, 0 or more, as 1e-3", _is_amount),
    "limit": ("a number of seconds", _is_amount),
    "probe_count": ("a number of sets, 1 or more", _is_count),
    "commands": ("a number of commands, 1 or more", _is_whole),  # the history says how many there are
    "step": ("the number of a step, 1 or more", _is_count),
    "around": ("the name of a node", _is_text),
    "op": ("an op type", _is_text),
    "key_filter": ("a part of the names of tensors", _is_text),
    "report_mode": ('"range", "stuck_channel" or "zerostuck_channel"', _REPORTS.__contains__),
    "hops": ("a number of nodes, 0 or more", _is_whole),
    "lines": ("a number of lines; 0 is all", _is_whole),
    "executor": ("an executor, as those of concurrent.futures", lambda value: hasattr(value, "submit")),
}
_SWITCH: _Check = ("True or False", lambda value: isinstance(value, bool))  # what has such a default


class _Signature:
    """What a command takes, without annotations; found out when it is needed, as a start would wait for all commands'.
    The class has none of its own: `inspect` asks it as well."""

    @overload
    def __get__(self, command: None, owner: type[Command]) -> None: ...
    @overload
    def __get__(self, command: Command, owner: type[Command]) -> inspect.Signature: ...
    def __get__(self, command: Command | None, owner: type[Command]) -> inspect.Signature | None:
        if command is None:
            return None
        signature = inspect.signature(command._function)
        parameters = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
        found = signature.replace(parameters=parameters, return_annotation=signature.empty)
        vars(command)["__signature__"] = found
        return found


class Command(Styled):
    """Called like the function that it stands for; raises WrongCall where the arguments do not fit.

    As a value it shows what it takes, what it does and an example.
    """

    __signature__ = _Signature()

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self._function = function
        self.__name__ = self.__qualname__ = name
        self.__doc__ = inspect.getdoc(function)

    @property
    def usage(self) -> str:
        """`trace(model, passes, *, blame=False)`"""
        return f"{self.__name__}{self.__signature__}"

    @cached_property
    def stub(self) -> Callable[..., Any]:
        """A function that takes the same and does nothing, for what completes by looking at functions."""
        names: dict[str, Any] = {}
        exec(f"def {self.usage}: ...", names)
        function: Callable[..., Any] = names[self.__name__]
        function.__doc__ = self.__doc__
        return function

    @property
    def summary(self) -> str:
        """The first sentence of what it does."""
        paragraph = " ".join((self.__doc__ or "").partition("\n\n")[0].split())
        sentence, stop, _ = paragraph.partition(". ")
        return sentence + stop.strip()

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        try:
            bound = self.__signature__.bind(*arguments, **options)
        except TypeError as error:
            raise self._wrong(_MISSING.sub(r"\1 is missing", str(error))) from None
        for name, value in bound.arguments.items():
            default: object = self.__signature__.parameters[name].default
            check = _SWITCH if isinstance(default, bool) else _CHECKS.get(name)
            if check is not None and value is not default:
                takes, fits = check
                if not fits(value):
                    raise self._wrong(f"{name} takes {takes}, not {cut(safe_repr(value).partition(_END)[0], 60)}")
        return self._function(*arguments, **options)

    def _wrong(self, problem: str) -> WrongCall:
        if not self.__signature__.parameters:
            return WrongCall(f"{self.usage} takes no arguments")
        return WrongCall(f"{problem}; {self.usage}, for example {EXAMPLES[self.__name__]}")

    def styled(self, width: int, shows_time: bool) -> Text:
        return [
            ("path", wrapped(self.usage, width, "    ")),
            ("", "\n"),
            ("", filled(self.__doc__ or "", width, "  ")),
            ("", "\n"),
            ("path", f"  {EXAMPLES[self.__name__]}\n"),
        ]

    def __repr__(self) -> str:
        return f"<command {self.usage}>"

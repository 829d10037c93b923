"""QONNX's own code, made linear while a command runs: the cleanup, the check of a new wrapper, look-ups by name.

What QONNX computes stays the same, byte for byte. The stand-ins were written for one text of QONNX's functions; where
the installed text is another one, QONNX's own run.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from ..after_import import AfterImport

if TYPE_CHECKING:
    from .lookups import Lookups

#: The SHA-256 of the sources of the functions below, one after the other, in QONNX 1.0.0.
_KNOWN = "522f166bf8ebb0391a9a9912bf9d65787153a8317a2d10aa0a4225861c041925"
_WRAPPER = "qonnx.core.modelwrapper"
#: The passes of the cleanup, and what does the same in `linear_passes`.
_PASSES = {
    "RemoveUnusedTensors": "remove_unused_tensors",
    "RemoveStaticGraphInputs": "remove_static_graph_inputs",
    "SortGraph": "sort_graph",
    "SortCommutativeInputsInitializerLast": "sort_commutative_inputs",
    "GiveUniqueParameterTensors": "give_unique_parameter_tensors",
}
#: Passes that give names, and what does the same in `renaming`.
_RENAMINGS = {
    "GiveUniqueTensorNames": "give_unique_tensor_names",
    "GiveRandomTensorNames": "give_random_tensor_names",
    "GiveReadableTensorNames": "give_readable_tensor_names",
}
_STANDING_IN = (*_PASSES, *_RENAMINGS)
_CHECK = "check_all_tensor_shapes_specified"
#: The methods of ModelWrapper that have a stand-in, and those that they, or the passes, call.
_METHODS = (
    "find_producer", "find_direct_predecessors", "get_initializer", "get_tensor_valueinfo", "get_tensor_shape",
    "get_tensor_datatype", "get_tensor_layout", "set_initializer", "set_tensor_shape", "set_tensor_datatype",
    "make_new_valueinfo_name", "get_all_tensor_names", "rename_tensor", _CHECK,
)  # fmt: skip

_T = TypeVar("_T")
_Replaced = tuple[type, str, Any]  # a class, the name of one of its functions, and the function that was there


class Acceleration:
    """Makes QONNX linear while commands run, unless it is switched off."""

    def __init__(self, is_on: bool = True) -> None:
        self.is_on = is_on
        #: What went wrong in a stand-in; from then on QONNX's own code runs.
        self.failure: Exception | None = None
        self._is_active = False
        self._compared: list[Any] = []  # the functions of QONNX that were compared last
        self._is_known = False
        self._lookups: Lookups | None = None
        self._stand_ins: list[_Replaced] = []  # for the functions that were compared last

    @contextmanager
    def active(self) -> Iterator[None]:
        """While this lasts, QONNX is linear, from the moment on at which it is imported."""
        if self._is_active or not self.is_on or self.failure is not None:
            yield
            return
        replaced: list[_Replaced] = []
        after_import = AfterImport(_WRAPPER, lambda module: replaced.extend(self._replace(module)))
        self._is_active = True
        after_import.install()
        try:
            yield
        finally:
            self._is_active = False
            after_import.uninstall()
            for owner, name, function in reversed(replaced):
                setattr(owner, name, function)

    def why_not(self) -> str | None:
        """Why QONNX's own code runs, as far as that is known; None if it is linear, or nobody has used it."""
        if not self.is_on:
            return "switched off by --plain-qonnx"
        if self.failure is not None:
            return f"{type(self.failure).__name__} in bsrepl's: {self.failure}"
        if self._compared and not self._is_known:
            return "bsrepl's was written for QONNX 1.0.0, and this code differs"
        return None

    def _replace(self, module: ModuleType) -> list[_Replaced]:
        functions = _functions(module)
        if functions != self._compared:
            self._compared, self._is_known = functions, _digest(tuple(functions)) == _KNOWN
            self._lookups, self._stand_ins = None, []
        if not self._is_known:
            return []
        if self._lookups is None:
            from .lookups import Lookups  # only now: it imports QONNX

            self._lookups = Lookups()
            self._stand_ins = self._made_for(module, self._lookups)
        self._lookups.forget()
        replaced = [(owner, name, vars(owner)[name]) for owner, name, _ in self._stand_ins]
        for owner, name, function in self._stand_ins:
            setattr(owner, name, function)
        return replaced

    def _made_for(self, module: ModuleType, lookups: Lookups) -> list[_Replaced]:
        """What to put in the place of QONNX's functions."""
        from . import linear_passes, renaming

        wrapper = module.ModelWrapper
        stand_ins: list[_Replaced] = [(wrapper, name, method) for name, method in lookups.methods().items()]
        stand_ins.append((wrapper, _CHECK, self._check(getattr(wrapper, _CHECK))))
        passes: dict[str, Callable[[Any], Any]] = {name: getattr(renaming, own) for name, own in _RENAMINGS.items()}
        passes |= {name: _with_model(getattr(linear_passes, own)) for name, own in _PASSES.items()}
        for name, linear in passes.items():
            owner = getattr(_general(), name)
            stand_ins.append((owner, "apply", self._apply(owner.apply, linear)))
        return stand_ins

    def _check(self, original: Callable[..., bool]) -> Callable[..., bool]:
        from .linear_passes import check_all_tensor_shapes_specified

        @wraps(original)
        def check(model: Any, fix_missing_init_shape: bool = False) -> bool:
            return self._either(
                model,
                lambda: check_all_tensor_shapes_specified(model, fix_missing_init_shape),
                lambda: original(model, fix_missing_init_shape),
            )

        return check

    def _apply(self, original: Callable[..., Any], linear: Callable[[Any], Any]) -> Callable[..., Any]:
        @wraps(original)
        def apply(self_: Any, model: Any) -> Any:
            return self._either(model, lambda: linear(model), lambda: original(self_, model))

        return apply

    def _either(self, model: Any, linear: Callable[[], _T], original: Callable[[], _T]) -> _T:
        """What `linear` returns, or, where that leaves the model to QONNX, or fails, what `original` does."""
        from .linear_passes import LeftToQonnx

        is_subclass = type(model).__name__ != "ModelWrapper" or type(model).__module__ != _WRAPPER
        if is_subclass or self.failure is not None:  # a subclass may have look-ups of its own
            return original()
        try:
            return linear()
        except LeftToQonnx:
            failure = None
        except Exception as error:
            failure = error
        result = original()  # out here, so that what it raises has no context of ours
        self.failure = self.failure or failure  # the fault is ours: it did not raise
        return result


def _functions(module: ModuleType) -> list[Any]:
    """QONNX's functions that the stand-ins were written for, as they are now."""
    wrapper, general = module.ModelWrapper, _general()
    functions = [getattr(wrapper, name, None) for name in _METHODS]
    return functions + [getattr(getattr(general, name, None), "apply", None) for name in _STANDING_IN]


def _general() -> ModuleType | None:
    """The module that has the passes of the cleanup; the one of ModelWrapper imports it."""
    return sys.modules.get("qonnx.transformation.general")


def _with_model(linear: Callable[[Any], bool]) -> Callable[[Any], tuple[Any, bool]]:
    """A pass that returns the model, too."""
    return lambda model: (model, linear(model))


@cache
def _digest(functions: tuple[Any, ...]) -> str:
    """The SHA-256 of the sources of functions; empty if one has none."""
    try:
        text = "".join(inspect.getsource(function.__code__) for function in functions)
    except (OSError, TypeError, AttributeError):
        return ""
    return hashlib.sha256(text.encode()).hexdigest()

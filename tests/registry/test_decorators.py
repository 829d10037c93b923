"""The decorators: every way of writing them, what they keep, what they warn of."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path

import pytest

import bsrepl
from bsrepl import backend, framework_transform, kernel, kernel_inference, plugin, step, tfm, transform
from bsrepl.errors import MetadataError, PluginWarning
from bsrepl.registry.plugin import Plugin
from bsrepl.registry.store import registry


def only() -> Plugin:
    """The one plugin that is registered."""
    (found,) = [each for kind in ("transform", "kernel", "backend", "step") for each in registry.snapshot.plugins(kind)]
    return found


class Pass:
    def apply(self, model):
        return model, False


@pytest.mark.parametrize(
    ("decorate", "name", "metadata"),
    [
        (transform, "Pass", {}),
        (transform(), "Pass", {}),
        (transform("Fold"), "Fold", {}),
        (transform(name="Fold"), "Fold", {}),
        (transform("Fold", stage="cleanup", author="me"), "Fold", {"stage": "cleanup", "author": "me"}),
        (transform(stage=None), "Pass", {}),
        (plugin(type="transform", name="Fold"), "Fold", {}),
        (plugin(kind="transform"), "Pass", {}),
        (kernel_inference(kernel="FastMatMul"), "Pass", {"kernel": "FastMatMul"}),
        (plugin(type="kernel_inference", kernel="FastMatMul"), "Pass", {"kernel": "FastMatMul"}),
    ],
)
def test_every_way_to_write_a_transform(decorate, name, metadata) -> None:
    assert decorate(Pass) is Pass
    registered = only()
    assert (registered.kind, registered.name, registered.framework) == ("transform", name, "brainsmith")
    assert dict(registered.metadata) == metadata
    assert registered.load() is Pass


@pytest.mark.parametrize(
    ("decorate", "kind", "metadata"),
    [
        (kernel(backends=["hls", "rtl"]), "kernel", {"backends": ["hls", "rtl"]}),
        (
            backend(kernel="FastMatMul", language="hls", default=True),
            "backend",
            {"kernel": "FastMatMul", "language": "hls", "default": True},
        ),
        (step(category="build"), "step", {"category": "build"}),
        (step, "step", {}),
    ],
)
def test_the_other_kinds(decorate, kind, metadata) -> None:
    def thing(model, cfg=None):
        return model

    assert decorate(thing) is thing
    registered = only()
    assert (registered.kind, registered.name, dict(registered.metadata)) == (kind, "thing", metadata)


def test_the_framework_is_part_of_the_key() -> None:
    transform(framework="finn")(Pass)
    assert only().key.qualified == "finn:Pass"
    assert tfm.finn.Pass is Pass


def test_the_origin_is_the_line_of_the_decorator() -> None:
    line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
    transform("Here")(Pass)
    assert only().origin == (__file__, line)


class Wrapped:
    def __init__(self, atol=1e-5):
        self.atol = atol

    def apply(self, model):
        return f"{self.name()} {model} {self.atol}"

    def name(self):
        return "wrapped"


def test_framework_transform_runs_the_wrapped_one_with_what_the_wrapper_overrides() -> None:
    @framework_transform("qonnx", Wrapped)
    class QONNXRemoveIdentity:
        """A wrapper."""

        def name(self):
            return f"wrapper of {super().name()}"  # type: ignore[misc]

    assert tfm.qonnx.RemoveIdentity is QONNXRemoveIdentity
    assert issubclass(QONNXRemoveIdentity, Wrapped)
    assert QONNXRemoveIdentity(atol=2).apply("model") == "wrapper of wrapped model 2"  # type: ignore[attr-defined, call-arg]
    assert (QONNXRemoveIdentity.__doc__, QONNXRemoveIdentity.__module__) == ("A wrapper.", __name__)


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("QONNXFold", "Fold"),
        ("QonnxFold", "Fold"),
        ("qonnx_Fold", "Fold"),
        ("Fold", "Fold"),
        ("QONNX", "QONNX"),
    ],
)
def test_the_frameworks_name_is_taken_off_the_front(class_name: str, name: str) -> None:
    framework_transform("qonnx", Wrapped)(type(class_name, (), {}))
    assert only().name == name


def test_a_wrapper_that_derives_from_the_wrapped_class_stays_itself() -> None:
    wrapper = type("W", (Wrapped,), {})
    assert framework_transform("qonnx", Wrapped, "Named", stage="cleanup")(wrapper) is wrapper
    assert (only().name, only().stage) == ("Named", "cleanup")


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (lambda: plugin(type="transfrom")(Pass), "takes one of transform, kernel, backend, step"),
        (lambda: plugin("Name")(Pass), "not None"),
        (lambda: transform("A", name="B")(Pass), "two names"),
        (lambda: transform(name=3)(Pass), "needs a name"),  # type: ignore[arg-type]
        (lambda: transform("a:b")(Pass), "without a colon"),
        (lambda: transform("A")(3), "decorates a class or a function, not int"),
        (lambda: framework_transform("qonnx", "RemoveIdentityOps"), "the class to wrap"),  # type: ignore[arg-type]
    ],
)
def test_misuse_says_where_and_what(misuse, said: str) -> None:
    with pytest.raises(MetadataError, match=said) as raised:
        misuse()
    assert f"{Path(__file__).name}:" in str(raised.value)
    assert all(registry.snapshot.count(kind) == 0 for kind in ("transform", "kernel", "backend", "step"))


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (lambda: transform(type("NoApply", (), {})), "has no apply"),
        (lambda: transform(stage="clenup")(Pass), '"clenup" looks like "cleanup"'),
        (lambda: backend(language="hls")(Pass), "has no kernel"),
        (lambda: backend(kernel="K")(Pass), "has no language"),
        (lambda: kernel_inference(Pass), "has no kernel"),
    ],
)
def test_a_slip_warns_with_its_place_and_registers_all_the_same(slip, said: str) -> None:
    with pytest.warns(PluginWarning, match=said) as caught:
        slip()
    assert caught[0].filename == __file__
    assert only()


def test_a_stage_of_ones_own_is_no_slip() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transform(stage="optimization")(Pass)
    assert only().stage == "optimization"


def test_what_the_package_exports_is_there() -> None:
    for name in bsrepl.__all__:
        assert hasattr(bsrepl, name)

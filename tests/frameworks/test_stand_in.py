"""Brainsmith's plugin files, in the style of each of its generations, where Brainsmith is not installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from bsrepl import backends, kernels, steps, tfm
from bsrepl.frameworks.brainsmith.stand_in import BrainsmithImporter
from bsrepl.registry.plugin import KINDS

from ..conftest import Screen, files, forget

STANDS_IN = "brainsmith is not installed; its imports are served by bsrepl's registry\n"

JULY = """
from qonnx.transformation.base import Transformation
from brainsmith.core.plugins import get_registry, transform, kernel, backend, step, kernel_inference, plugin
from brainsmith.core.plugins.decorators import transform as the_same


@transform(name="ExpandNorms", stage="topology_opt", description="expands", author="me", version="1.0.0")
class ExpandNorms(Transformation):
    def apply(self, model):
        return model, False


@the_same(name="ShuffleFixer", stage=None, kernel="Shuffle", framework="brainsmith")
class Fixer(ExpandNorms):
    pass


@kernel(name="Shuffle", op_type="Shuffle")
class Shuffle:
    pass


@backend(name="ShuffleHLS", kernel="Shuffle", backend_type="hls", optimization="area")
class Shuffle_hls:
    pass


@backend(name="ShuffleRTL", kernel="Shuffle", language="rtl", default=True)
class Shuffle_rtl:
    pass


@kernel_inference(name="InferShuffle", kernel="Shuffle")
class InferShuffle(ExpandNorms):
    pass


@step(name="shell_metadata", category="metadata", dependencies=["cleanup"])
def shell_metadata_step(model, cfg):
    expand = get_registry().get_transform("ExpandNorms")
    return model.transform(expand())


@plugin(type="step", name="other_step", category="metadata")
def other(model, cfg):
    return model
"""

AUGUST = '''
from qonnx.transformation.base import Transformation
from brainsmith.core.plugins import backend, get_transform, kernel, kernel_inference, step, transform
from brainsmith.core.plugins import get_transforms_by_metadata, has_kernel, list_steps
from brainsmith.core.plugins.registry import get_registry, list_backends_by_kernel
from brainsmith.utils import apply_transforms


@transform(name="SetPumpedCompute", stage="kernel_opt", description="pumps")
class SetPumpedCompute(Transformation):
    def apply(self, model):
        return model, False


@kernel(description="Crops", author="me")
class Crop:
    pass


@backend(name="Crop_hls", kernel="Crop", language="hls")
class Crop_hls(Crop):
    pass


@kernel_inference(kernel="Crop")
class InferCrop(SetPumpedCompute):
    pass


# what was registered a line ago is there already
assert get_transform("SetPumpedCompute") is SetPumpedCompute


@step(name="clean", category="cleanup", dependencies=[], description="cleans")
def clean_step(model, cfg):
    """Cleans up."""
    return apply_transforms(model, ["GiveUniqueNodeNames", "SetPumpedCompute"])


def asked():
    return [
        has_kernel("Crop"), has_kernel("Nope"),
        list_backends_by_kernel("Crop"),
        get_transforms_by_metadata(stage="kernel_opt"),
        "clean" in list_steps(), "qonnx:cleanup" in list_steps(),
        get_registry().get("kernel", "Crop") is Crop,
        get_registry().find("backend", kernel="Crop") == [Crop_hls],
    ]
'''

REGISTRY = """
from brainsmith.registry import backend, get_backend, get_kernel, get_kernel_infer, kernel
from brainsmith.registry import list_backends_for_kernel, list_kernels, source_context, step
from qonnx.transformation.base import Transformation


class InferNorm(Transformation):
    def apply(self, model):
        return model, False


@kernel
class LayerNorm:
    op_type = "Norm"
    infer_transform = InferNorm


@kernel(name="Pool", description="pools", is_infrastructure=True)
class PoolOp:
    pass


@backend(target_kernel="brainsmith:Norm", language="hls", variant="fast")
class LayerNorm_hls(LayerNorm):
    pass


@backend(name="Norm_rtl")
class LayerNorm_rtl(LayerNorm):
    target_kernel = "project:Norm"
    language = "rtl"


@step
def normalise(model, config):
    return model


@step(name="build_hw")
def build_hw_step(model, config):
    return model


with source_context("acme"):
    @kernel(name="Fast")
    class FastKernel:
        pass


def asked():
    return [
        get_kernel("Norm") is LayerNorm, get_kernel("brainsmith:Norm") is get_kernel("custom:Norm"),
        get_kernel_infer("Norm") is InferNorm,
        list_backends_for_kernel("Norm"), list_backends_for_kernel("Norm", language="hls"),
        get_backend("LayerNorm_hls") is LayerNorm_hls,
        [name for name in list_kernels() if not name.startswith("qonnx:")],
        get_kernel("acme:Fast") is FastKernel,
    ]
"""


@pytest.fixture(autouse=True)
def _afresh() -> None:
    forget("brainsmith")


def told(screen: Screen) -> dict[str, dict[str, object]]:
    """What is registered besides what is installed: the metadata by what to type."""
    found = {}
    for kind in KINDS:
        for plugin in screen.console.registry.snapshot.plugins(kind):
            if plugin.framework not in ("qonnx", "finn") and plugin.name != "RemoveIdentity":
                found[str(plugin.key)] = dict(plugin.metadata)
    return found


def look_at(screen: Screen, text: str) -> str:
    path = screen.folder / "theirs.py"
    path.write_text(text)
    start = screen.out.tell()
    screen.console.look()
    printed = screen.out.getvalue()[start:]
    assert screen.console.reloader.failures == {}, printed
    return printed


def test_a_plugin_file_of_july(screen: Screen) -> None:
    assert STANDS_IN in look_at(screen, JULY)
    assert told(screen) == {
        "tfm.ExpandNorms": {"stage": "topology_opt", "description": "expands", "author": "me", "version": "1.0.0"},
        "tfm.ShuffleFixer": {"kernel": "Shuffle"},
        "tfm.InferShuffle": {"kernel": "Shuffle"},
        "kernels.Shuffle": {"op_type": "Shuffle"},
        "backends.ShuffleHLS": {
            "kernel": "Shuffle", "backend_type": "hls", "optimization": "area", "language": "hls"
        },
        "backends.ShuffleRTL": {"kernel": "Shuffle", "language": "rtl", "default": True},
        "steps.shell_metadata": {"category": "metadata", "dependencies": ["cleanup"]},
        "steps.other_step": {"category": "metadata"},
    }  # fmt: skip
    screen.type("m = load('mnist-conv')")
    assert "ModelWrapper" in screen.type("steps.shell_metadata(m, None)")


def test_the_registry_object_of_july(screen: Screen) -> None:
    look_at(screen, JULY)
    screen.type("from brainsmith.core.plugins import get_registry; r = get_registry()")
    answers = {
        "r.get_transform('ExpandNorms') is tfm.ExpandNorms": "True",
        "r.get_transform('ExpandNorms', stage='cleanup')": "",
        "r.get_transform('Nope')": "",
        "r.get_transform('FoldConstants', framework='qonnx') is tfm.qonnx.FoldConstants": "True",
        "r.list_backends_by_kernel('Shuffle')": "['ShuffleHLS', 'ShuffleRTL']",
        "'ExpandNorms' in r.transforms, len(r.kernels)": "(True, 15)",
        "r.no_such_method": "bsrepl's registry has no no_such_method",
    }
    for question, answer in answers.items():
        assert answer in screen.type(question), question


def test_the_collections_of_july_are_the_namespaces(screen: Screen) -> None:
    said = screen.type("from brainsmith.plugins import transforms as tfm2, kernels as k2, backends as b2, steps as s2")
    assert said == STANDS_IN
    names = screen.names
    assert [names[name] for name in ("tfm2", "k2", "b2", "s2")] == [tfm, kernels, backends, steps]
    assert STANDS_IN not in screen.type("from brainsmith.core.plugins import transforms, create_collections")
    assert screen.type("create_collections()['transforms'] is tfm") == "True\n"


def test_a_plugin_file_of_august(screen: Screen) -> None:
    look_at(screen, AUGUST)
    assert told(screen) == {
        "tfm.SetPumpedCompute": {"stage": "kernel_opt", "description": "pumps"},
        "tfm.InferCrop": {"kernel": "Crop"},
        "kernels.Crop": {"description": "Crops", "author": "me"},
        "backends.Crop_hls": {"kernel": "Crop", "language": "hls"},
        "steps.clean": {"category": "cleanup", "dependencies": [], "description": "cleans"},
    }
    module = sys.modules["theirs"]
    assert module.asked() == [True, False, ["Crop_hls"], ["SetPumpedCompute"], True, True, True, True]
    screen.type("m = load('mnist-conv')")
    assert "ModelWrapper" in screen.type("steps.clean(m, None)")
    assert "UnknownPlugin: tfm has no 'Nope'" in screen.type(
        "from brainsmith.core.plugins import get_transform; get_transform('Nope')"
    )


def test_a_plugin_file_of_0_1_0(screen: Screen) -> None:
    look_at(screen, REGISTRY)
    infer = sys.modules["theirs"].InferNorm
    norm = {"kernel": "Norm"}
    assert told(screen) == {
        "kernels.Norm": {"infer_transform": infer},
        "kernels.Pool": {"description": "pools", "is_infrastructure": True},
        "kernels.acme.Fast": {},
        "backends.LayerNorm_hls": {
            "target_kernel": "brainsmith:Norm", "language": "hls", "variant": "fast", **norm
        },
        "backends.Norm_rtl": {"target_kernel": "project:Norm", "language": "rtl", **norm},
        "steps.normalise": {},
        "steps.build_hw": {},
    }  # fmt: skip
    both = ["brainsmith:LayerNorm_hls", "brainsmith:Norm_rtl"]
    ours = ["acme:Fast", "brainsmith:Norm", "brainsmith:Pool"]
    assert sys.modules["theirs"].asked() == [True, True, True, both, both[:1], True, ours, True]
    origins = {str(plugin.key): plugin.origin.line for plugin in screen.console.registry.snapshot.plugins("kernel")}
    # Python 3.10 takes the call of a decorator for the line of what it decorates
    assert REGISTRY.splitlines()[origins["kernels.Norm"] - 1] in ("@kernel", "class LayerNorm:")


def test_the_rest_of_0_1_0(screen: Screen) -> None:
    look_at(screen, REGISTRY)
    screen.type("from brainsmith.registry import *; import brainsmith; from brainsmith.registry.constants import *")
    answers = {
        "brainsmith.get_step('normalise').__name__": "'normalise'",
        "has_step('nope'), has_step('build_hw'), discover_components()": "(False, True, None)",
        "list_steps('brainsmith')": "['brainsmith:build_hw', 'brainsmith:normalise']",
        "get_backend_metadata('Norm_rtl')['target_kernel']": "'project:Norm'",
        "get_component_metadata('Norm', 'kernel').kernel_backends[1]": "'brainsmith:Norm_rtl'",
        "get_component_metadata('qonnx:Im2Col', 'kernel').import_spec.module": "'qonnx.custom_op.general.im2col'",
        "get_domain_for_backend('Norm_rtl')": "'theirs'",
        "get_kernel_infer('Pool')": "kernels.Pool has no infer_transform, and no transform says kernel='Pool'",
        "SOURCE_PROJECT": "'project'",
    }
    for question, answer in answers.items():
        assert answer in screen.type(question), question


def test_register_op_is_found_where_qonnx_once_had_it(screen: Screen) -> None:
    look_at(
        screen,
        """
from onnx import helper
from qonnx.core.datatype import DataType
from qonnx.custom_op.base import CustomOp
from qonnx.custom_op.registry import register_op
from brainsmith.core.plugins import kernel


@kernel(name="Doubling", description="doubles")
@register_op(domain="brainsmith.kernels.double", op_type="Double")
class Double(CustomOp):
    def get_nodeattr_types(self): return {}
    def make_shape_compatible_op(self, model): ...
    def infer_node_datatype(self, model): ...
    def verify_node(self): return []
    def execute_node(self, context, graph):
        context[self.onnx_node.output[0]] = 2 * context[self.onnx_node.input[0]]
""",
    )
    domain = "brainsmith.kernels.double"
    assert told(screen) == {"kernels.Doubling": {"domain": domain, "op_type": "Double", "description": "doubles"}}
    node = helper.make_node("Double", ["in"], ["out"], domain=domain)
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in ("in", "out")]
    made = helper.make_model(
        helper.make_graph([node], "test", values[:1], values[1:]),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(domain, 1)],
    )
    assert execute_onnx(ModelWrapper(made), {"in": np.array([1, 2], np.float32)})["out"].tolist() == [2, 4]


def test_what_brainsmith_has_besides_its_registry_is_missing_and_says_so(screen: Screen) -> None:
    said = screen.type("import brainsmith.dataflow as df")
    assert "ModuleNotFoundError: No module named 'brainsmith.dataflow'" in said
    assert "bsrepl replaces its registry only, not brainsmith.dataflow" in " ".join(said.split())


def test_an_installed_brainsmith_is_never_shadowed(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files(tmp_path / "lib", {"brainsmith/__init__.py": "REAL = True\n"})
    monkeypatch.syspath_prepend(tmp_path / "lib")
    assert screen.type("import brainsmith; brainsmith.REAL") == "True\n"
    assert "No module named 'brainsmith.registry'" in screen.type("import brainsmith.registry")
    forget("brainsmith")


def test_without_the_shell_nothing_is_stood_in_for() -> None:
    before = list(sys.meta_path)
    importer = BrainsmithImporter()
    importer.install()
    assert find_spec("brainsmith.plugins")
    importer.uninstall()
    assert sys.meta_path == before
    assert find_spec("brainsmith") is None
    assert not [name for name in sys.modules if name.startswith("brainsmith")]

"""Reaching plugins, every way of it."""

from __future__ import annotations

import operator
import subprocess
import sys

import pytest

from bsrepl import backends, kernel, kernels, steps, tfm, transform
from bsrepl.errors import PluginWarning, UnavailablePlugin, UnknownPlugin
from bsrepl.frameworks.catalogue import Installed
from bsrepl.registry.namespaces import Backends, Namespace
from bsrepl.registry.plugin import PRECEDENCE, WORDS, Key, Lazy, Origin, Plugin
from bsrepl.registry.store import Registry, registry
from bsrepl.text.styled import plain


@pytest.fixture
def _qonnx() -> None:
    Installed(registry, None)


class FoldBias:
    def apply(self, model):
        return model, False


@pytest.mark.usefixtures("_qonnx")
def test_every_way_to_take_a_plugin() -> None:
    transform(stage="cleanup")(FoldBias)
    assert tfm.FoldBias is FoldBias
    assert tfm["FoldBias"] is FoldBias
    assert tfm.brainsmith.FoldBias is FoldBias
    constants = tfm.qonnx.FoldConstants
    assert constants.__module__ == "qonnx.transformation.fold_constants"
    assert tfm["qonnx:FoldConstants"] is tfm["FoldConstants"] is tfm.FoldConstants is constants
    assert tfm.qonnx["FoldConstants"] is constants
    assert "FoldBias" in tfm
    assert "qonnx:FoldConstants" in tfm
    assert "Nothing" not in tfm
    assert 3 not in tfm
    assert len(tfm) == 66
    assert set(tfm) >= {"FoldBias", "FoldConstants"}
    assert all(tfm[name] for name in kernels if name in tfm)


@pytest.mark.usefixtures("_qonnx")
def test_iterating_gives_names_that_index_to_the_same_plugin() -> None:
    transform("FoldConstants")(FoldBias)
    names = list(tfm)
    assert len(names) == len(set(names)) == len(tfm)
    assert {"FoldConstants", "qonnx:FoldConstants", "InferShapes"} <= set(names)


@pytest.mark.usefixtures("_qonnx")
def test_a_plugin_of_ones_own_comes_before_one_of_a_framework_and_makes_way_again() -> None:
    theirs = tfm.FoldConstants
    transform("FoldConstants")(FoldBias)
    assert tfm.FoldConstants is FoldBias
    assert tfm.qonnx.FoldConstants is theirs
    mine = registry.snapshot.get("transform", "FoldConstants")
    assert mine is not None
    registry.replace(registry.snapshot.replacing([mine], ()))
    assert tfm.FoldConstants is theirs


def test_a_framework_namespace_comes_and_goes_with_its_plugins() -> None:
    transform(framework="zoo")(FoldBias)
    assert tfm.zoo.FoldBias is FoldBias
    registry.replace(registry.snapshot.replacing(registry.snapshot.plugins("transform"), ()))
    with pytest.raises(AttributeError):
        _ = tfm.zoo


def test_a_plugin_that_is_named_like_a_framework_waits_until_that_has_gone() -> None:
    named = Plugin(Key("transform", "brainsmith", "zoo"), FoldBias, Origin("a.py", 1), {})
    other = Plugin(Key("transform", "zoo", "Cage"), object, Origin("b.py", 1), {})
    registry.replace(registry.snapshot.replacing((), [named]))
    assert tfm.zoo is tfm["zoo"] is FoldBias
    registry.replace(registry.snapshot.replacing((), [other]))
    assert tfm.zoo.Cage is object  # type: ignore[attr-defined]
    assert tfm["zoo"] is FoldBias
    registry.replace(registry.snapshot.replacing([other], ()))
    assert tfm.zoo is FoldBias


def test_a_plugin_is_a_plain_attribute_of_an_instance_without_getattr_cost() -> None:
    """No descriptor, no hook before Python 3.12: what makes `tfm.X` cost what any attribute costs."""
    transform(FoldBias)
    assert "FoldBias" not in vars(type(tfm))
    if sys.version_info < (3, 12):
        assert not hasattr(type(tfm), "__getattr__")


def test_the_names_of_attributes_are_the_objects_that_code_reads_them_by() -> None:
    """Those that come from the index of what is installed are not: Python would compare the texts at every reading."""
    interned = [sys.intern(f"Fold{number}") for number in range(10, 50)]
    known = Registry()
    for name in interned:
        read = "".join(["Fo", name.removeprefix("Fo")])
        known.register(Plugin(Key("transform", "brainsmith", read), FoldBias, Origin("f.py", 1), {}))
    names = sorted(name for name in vars(Namespace(known, "transform")) if name.startswith("Fold"))
    assert all(map(operator.is_, names, interned))
    assert len(names) == len(interned)


@pytest.mark.parametrize("name", ["find", "all", "_kind", "__len__", "frameworks"])
def test_a_plugin_with_the_name_of_a_method_is_reached_by_index(name: str) -> None:
    method = getattr(tfm, name)
    with pytest.warns(PluginWarning, match=f"{name} is something else"):
        transform(name)(FoldBias)
    assert tfm[name] is FoldBias
    assert getattr(tfm, name) == method


def test_the_words_of_a_namespace_are_its_public_methods_and_the_known_frameworks() -> None:
    public = {name for name in {**vars(Namespace), **vars(Backends)} if not name.startswith("_")}
    assert public | set(PRECEDENCE) == WORDS


@pytest.mark.usefixtures("_qonnx")
@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("FoldConstant", "nearest: FoldConstants"),
        ("identity", "RemoveIdentityOps"),
        ("qonnx:FoldConstant", "nearest: FoldConstants"),
        ("Im2Col", "there is kernels.qonnx.Im2Col"),
        ("zzz", "tfm.all() lists what it has"),
    ],
)
def test_a_miss_names_the_nearest(index: str, said: str) -> None:
    with pytest.raises(UnknownPlugin) as raised:
        tfm[index]
    assert isinstance(raised.value, KeyError)
    assert said in str(raised.value)


@pytest.mark.usefixtures("_qonnx")
def test_a_missing_attribute_is_an_attribute_error_that_knows_name_and_namespace() -> None:
    with pytest.raises(AttributeError) as raised:
        _ = tfm.FoldConstant
    assert (raised.value.name, raised.value.obj) == ("FoldConstant", tfm)
    if sys.version_info >= (3, 12):
        assert "nearest: FoldConstants" in str(raised.value)


@pytest.mark.usefixtures("_qonnx")
def test_find_and_all_list_iterate_and_index() -> None:
    found = tfm.find(stage="dataflow_opt")
    assert len(found) == 3
    assert [cls.__name__ for cls in found] == ["ExtendPartition", "PartitionFromDict", "PartitionFromLambda"]
    assert found[0] is tfm.ExtendPartition
    assert len(found[1:]) == 2
    assert "ExtendPartition" in found
    assert tfm.ExtendPartition in found
    assert "FoldConstants" not in found
    assert len(tfm.all()) == len(tfm)
    assert len(tfm.qonnx.find("identity")) == 3
    assert len(tfm.find("identity", framework="brainsmith")) == 1
    assert [p.name for p in tfm.find(framework="qonnx", name="*Identity*").plugins] == [
        "InsertIdentity",
        "InsertIdentityOnAllTopLevelIO",
        "RemoveIdentityOps",
    ]


@pytest.mark.usefixtures("_qonnx")
@pytest.mark.parametrize(
    ("criteria", "said"),
    [
        ({"stage": "clenup"}, "there are: cleanup (43), topology_opt (18), dataflow_opt (3)"),
        ({"stag": "cleanup"}, "no transform has stag; fields: framework, stage"),
        ({"name": "FoldConstant"}, "nearest: FoldConstants"),
        ({"stage": "cleanup", "framework": "nope"}, "no transform has framework='nope'"),
        ({"stage": "dataflow_opt", "framework": "brainsmith"}, "no transform matches all of that"),
    ],
)
def test_finding_nothing_says_what_would_match(criteria: dict[str, str], said: str) -> None:
    assert said in repr(tfm.find(**criteria))


@pytest.mark.usefixtures("_qonnx")
def test_what_would_match_is_broken_between_words() -> None:
    lines = plain(tfm.find(stage="clenup").styled(40, True)).splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(line.strip() for line in lines) == repr(tfm.find(stage="clenup"))


@pytest.mark.usefixtures("_qonnx")
@pytest.mark.parametrize("width", [100, 60, 40, 20])
def test_a_listing_is_cut_to_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = repr(tfm.all()).splitlines()
    assert len(lines) == len(tfm)
    assert max(map(len, lines)) <= width


@pytest.mark.usefixtures("_qonnx")
@pytest.mark.parametrize(("width", "line"), [
    (110, "tfm.qonnx.ExtractQuantScaleZeroPt                      stage=cleanup  extract_quant_scale_zeropt.py:38"),
    (90, "tfm.qonnx.ExtractQuantScaleZeroPt                      extract_quant_scale_zeropt.py:38"),
    (70, "tfm.qonnx.ExtractQuantScaleZeroPt                      extract_quan..."),
])  # fmt: skip
def test_what_was_asked_for_gives_way_to_the_place(width: int, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert line in repr(tfm.find(stage="cleanup")).splitlines()


def test_backends_and_steps_are_found_by_their_metadata() -> None:
    from bsrepl import backend, step

    hls = backend("MatMulHLS", kernel="FastMatMul", language="hls")(type("MatMulHLS", (), {}))
    backend("MatMulRTL", kernel="FastMatMul", language="rtl")(type("MatMulRTL", (), {}))

    @step(category="build")
    def synth(model, cfg=None):
        return model

    assert list(backends.find(kernel="FastMatMul", language="hls")) == [hls]
    assert len(backends.find(kernel="FastMatMul")) == 2
    assert list(steps.find(category="build")) == [synth]
    kernel("FastMatMul", backends=["hls"])(FoldBias)
    assert list(kernels.find(backends="hls")) == [FoldBias]


def test_a_plugin_that_cannot_be_imported_says_why_and_stays() -> None:
    broken = Plugin(Key("transform", "zoo", "Broken"), Lazy("no_such_module", "Broken"), Origin("/zoo.py", 1), {})
    registry.register(broken)
    with pytest.raises(UnavailablePlugin, match="no_such_module"):
        _ = tfm.Broken
    with pytest.raises(UnavailablePlugin):
        tfm["Broken"]
    assert "Broken" in tfm


LISTING_IMPORTS_NOTHING = """
import sys
from bsrepl.frameworks.catalogue import Installed
from bsrepl import tfm, kernels
from bsrepl.registry.store import Registry, registry
Installed(registry, None)
str(tfm.all()), len(tfm), dir(tfm), list(tfm), tfm.find("fold"), tfm.find(stage="cleanup"), "X" in tfm, repr(kernels)
str(tfm.find(stage="nothing"))
heavy = {"numpy", "onnx", "onnxruntime", "qonnx"} & sys.modules.keys()
assert not heavy, heavy
before = set(sys.modules)
tfm.GiveUniqueNodeNames
ours = {m for m in set(sys.modules) - before if m.startswith("qonnx.transformation.")}
assert ours == {"qonnx.transformation.base", "qonnx.transformation.general"}, ours
"""


def test_listing_imports_nothing_and_taking_one_imports_its_module_alone() -> None:
    subprocess.run([sys.executable, "-c", LISTING_IMPORTS_NOTHING], check=True, timeout=60)


@pytest.mark.usefixtures("_qonnx")
@pytest.mark.parametrize("width", [60, 40])
def test_in_a_narrow_terminal_what_to_type_is_whole_and_places_are_cut(width: int) -> None:
    lines = "".join(part for _, part in tfm.all().styled(width, True)).splitlines()
    assert [line.split()[0] for line in lines] == [str(plugin.key) for plugin in tfm.all().plugins]
    assert [line for line in lines if len(line) > width and " " in line] == []
    assert any(line.endswith("lower_convs_to_matmul.py:38") for line in lines) is (width == 60)
    assert any(line.endswith("insert.py:51") for line in lines)


def test_a_namespace_is_not_assigned_to() -> None:
    with pytest.raises(AttributeError, match="tfm cannot be assigned to; register FoldBias with @transform"):
        tfm.FoldBias = FoldBias

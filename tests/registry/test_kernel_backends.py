"""The backends of a kernel: declared, registered, missing, and the one to take."""

from __future__ import annotations

from typing import Any

import pytest

from bsrepl import backend, backends, kernel, kernel_inference, kernels, tfm


def registered(name: str, **metadata: Any) -> Any:
    return backend(name, **metadata)(type(name, (), {}))


@pytest.fixture(autouse=True)
def _matmul() -> None:
    kernel("FastMatMul", backends=["hls", "rtl", "MatMulDSP"])(type("FastMatMul", (), {}))


@pytest.mark.parametrize(
    ("backends_", "default", "missing"),
    [
        ([], None, ("hls", "rtl", "MatMulDSP")),
        ([("A", "rtl", False)], "A", ("hls", "MatMulDSP")),
        ([("A", "rtl", False), ("B", "hls", False)], "B", ("MatMulDSP",)),
        ([("A", "rtl", True), ("B", "HLS", False)], "A", ("MatMulDSP",)),
        ([("A", "systemc", False), ("MatMulDSP", "rtl", False)], "MatMulDSP", ("hls",)),
        ([("B", "systemc", False), ("A", "chisel", False)], "A", ("hls", "rtl", "MatMulDSP")),
    ],
)
def test_the_default_is_the_one_that_says_so_or_the_first_that_the_kernel_declares(backends_, default, missing) -> None:
    made = {name: registered(name, kernel="FastMatMul", language=lang, default=is_) for name, lang, is_ in backends_}
    registered("Other", kernel="Conv", language="hls")
    found = backends.for_kernel("FastMatMul")
    assert set(found) == set(made.values())
    assert found.default is made.get(default)
    assert found.missing == missing
    assert ("missing: " in repr(found)) is bool(missing)


def test_a_kernel_of_a_framework_may_have_backends_of_others() -> None:
    kernel("MVAU", framework="finn")(type("MVAU", (), {}))
    theirs = registered("MVAU_hls", kernel="MVAU", language="hls", framework="finn")
    mine = registered("MyMVAU", target_kernel="finn:MVAU", language="rtl")
    assert set(backends.for_kernel("MVAU")) == set(backends.for_kernel("finn:MVAU")) == {theirs, mine}
    assert list(backends.finn.for_kernel("MVAU")) == [theirs]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("FastMatMul", "no backend of FastMatMul is registered\nmissing: hls, rtl, MatMulDSP; declared, but not"),
        ("fastmatmull", "kernels has no 'fastmatmull'; nearest: FastMatMul"),
    ],
)
def test_where_there_is_none_it_says_so(name: str, said: str) -> None:
    assert repr(backends.for_kernel(name)).startswith(said)


def test_older_words_for_the_kernel_and_the_language_mean_the_same() -> None:
    old = registered("Old", kernel="FastMatMul", backend_type="hls")
    new = registered("New", target_kernel="brainsmith:FastMatMul", language="rtl")
    assert list(backends.find(kernel="FastMatMul", language="hls")) == [old]
    assert list(backends.find(kernel="FastMatMul", language="rtl")) == [new]
    assert list(backends.find(target_kernel="brainsmith:FastMatMul")) == [new]


def test_what_infers_a_kernel_is_found_by_it() -> None:
    infer = kernel_inference(kernel="FastMatMul")(type("Infer", (), {"apply": lambda self, model: (model, False)}))
    assert list(tfm.find(kernel="FastMatMul")) == [infer]
    assert kernels.FastMatMul is not infer

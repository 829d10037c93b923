"""What QONNX can tell of a model without changing it: functions of a model, also for `model.analysis(...)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qonnx.core.modelwrapper import ModelWrapper


def inference_cost(
    model: ModelWrapper, *, preprocess: bool = True, discount_sparsity: bool = True, cost_breakdown: bool = False
) -> dict[str, Any]:
    """The cost of one inference: MACs by datatype, bit operations, bits and elements of weights and outputs.

    `preprocess` infers shapes and datatypes and folds constants first; `discount_sparsity` leaves out what is
    multiplied by a constant zero; `cost_breakdown` adds the cost by node and by op type.
    """
    from qonnx.util import inference_cost as util

    costs: dict[str, Any] = util.inference_cost(
        model, preprocess=preprocess, discount_sparsity=discount_sparsity, cost_breakdown=cost_breakdown
    )
    return costs


def range_analysis(
    model: ModelWrapper,
    irange: tuple[Any, Any] | None = None,
    *,
    report_mode: str = "range",
    key_filter: str = "",
    do_cleanup: bool = False,
) -> dict[str, Any]:
    """The smallest and the largest value of each tensor, by interval arithmetic from the inputs on.

    `irange` is the range of the inputs, numbers or arrays with one for each channel; without it, that of their datatype
    annotations. `report_mode` "stuck_channel" gives the channels that are constant instead, with their values,
    "zerostuck_channel" those that are zero. `key_filter` is a part of the names of the tensors to report.
    `do_cleanup` cleans the model up first, and makes the biases of Conv nodes, which cannot be analysed, Add nodes.
    """
    from qonnx.util import range_analysis as util

    from .steps import cleanup

    if do_cleanup:
        model = cleanup(model, {"extract_conv_bias": True})
    ranges: dict[str, Any] = util.range_analysis(
        model, irange="" if irange is None else irange,
        report_mode=report_mode, key_filter=key_filter,
    )  # fmt: skip
    return ranges

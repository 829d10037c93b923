"""What QONNX can tell of a model without changing it: functions of a model, also for `model.analysis(...)`."""

from __future__ import annotations

import warnings
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from .analysis_results import Cost, Ranges

if TYPE_CHECKING:
    from qonnx.core.modelwrapper import ModelWrapper


def inference_cost(
    model: ModelWrapper, *, preprocess: bool = True, discount_sparsity: bool = True, cost_breakdown: bool = False
) -> Cost:
    """The cost of one inference: MACs by datatype, bit operations, bits and elements of weights and outputs.

    It prints as a table with a row for each layer, and is the dict that QONNX returns.

    `preprocess` infers shapes and datatypes and folds constants first; `discount_sparsity` leaves out what is
    multiplied by a constant zero; `cost_breakdown` adds the cost by node and by op type.
    """
    from qonnx.util import inference_cost as util

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        costs: dict[str, Any] = util.inference_cost(
            deepcopy(model), preprocess=preprocess, discount_sparsity=discount_sparsity, cost_breakdown=True
        )
    layers = costs["node_cost"]
    return Cost(costs if cost_breakdown else {"total_cost": costs["total_cost"]}, layers)


def range_analysis(
    model: ModelWrapper,
    irange: tuple[Any, Any] | None = None,
    *,
    report_mode: str = "range",
    key_filter: str = "",
    do_cleanup: bool = False,
) -> Ranges:
    """The smallest and the largest value of each tensor, by interval arithmetic from the inputs on.

    It prints as a table with a row for each tensor, and is the dict that QONNX returns.

    `irange` is the range of the inputs, numbers or arrays with one for each channel; without it, that of their datatype
    annotations. `report_mode` "stuck_channel" gives the channels that are constant instead, with their values,
    "zerostuck_channel" those that are zero. `key_filter` is a part of the names of the tensors to report.
    `do_cleanup` cleans the model up first, and makes the biases of Conv nodes, which cannot be analysed, Add nodes.
    """
    from qonnx.util import range_analysis as util

    from .steps import cleanup

    if do_cleanup:
        model = cleanup(model, {"extract_conv_bias": True})
    with warnings.catch_warnings(record=True) as messages:
        warnings.simplefilter("always")
        ranges = util.range_analysis(
            model, irange="" if irange is None else irange, report_mode=report_mode, key_filter=key_filter
        )
    skipped = [str(message.message).split()[1] for message in messages if str(message.message).startswith("Skipping ")]
    return Ranges(ranges, skipped)

"""QONNX's own utilities as build steps, each `step(model, cfg=None) -> model`.

They are what QONNX has as commands (`qonnx-cleanup` and the like) without files and command lines. `cfg` is a mapping,
or an object with attributes, that may hold the options that a step names, and whatever other steps need; without one
the defaults are QONNX's. The model that is given stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.change_batchsize import ChangeBatchSize
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.transformation.pruning import PruneChannels
from qonnx.transformation.qcdq_to_qonnx import QCDQToQuant
from qonnx.transformation.quantize_graph import QuantizeGraph
from qonnx.util.cleanup import cleanup_model

from ...errors import StepConfigError


def cleanup(model: ModelWrapper, cfg: Any = None) -> ModelWrapper:
    """Infers shapes, folds constants, drops what is unused and gives nodes and tensors readable names.

    Options: `preserve_qnt_ops` (True), keeps quantisers of constants; `override_inpsize` (None), a batch size or the
    shape of the first input; `extract_conv_bias` (False), makes the bias of a Conv an Add of its own.
    """
    options = _options(cfg, "preserve_qnt_ops", "override_inpsize", "extract_conv_bias")
    return cleanup_model(deepcopy(model), **options)  # it sets the domains of quantisers in place


def to_channels_last(model: ModelWrapper, cfg: Any = None) -> ModelWrapper:
    """Converts a clean model to channels-last data layout.

    Option: `make_input_channels_last` (False), converts the inputs as well, instead of a Transpose behind them.
    """
    return model.transform(ConvertToChannelsLastAndClean(**_options(cfg, "make_input_channels_last")))


def convert_to_qcdq(model: ModelWrapper, cfg: Any = None) -> ModelWrapper:
    """Makes QuantizeLinear, Clip and DequantizeLinear of each Quant node, as far as they can express it."""
    from qonnx.transformation.qonnx_to_qcdq import QuantToQCDQ  # only now: 600 modules come with it

    return model.transform(QuantToQCDQ())


def convert_to_quant(model: ModelWrapper, cfg: Any = None) -> ModelWrapper:
    """Makes a Quant node of each QuantizeLinear, Clip, DequantizeLinear, once their parameters are constants."""
    return cleanup(model).transform(QCDQToQuant())


def quantize(model: ModelWrapper, cfg: Any = None) -> ModelWrapper:
    """Puts Quant nodes at inputs and outputs of nodes.

    Option: `quantnode_map`, where and with which parameters, as `QuantizeGraph` describes it. Raises StepConfigError
    without it.
    """
    places = _required(cfg, "quantize", "quantnode_map", '{"op_type": {"Conv": [...]}}')
    return model.transform(QuantizeGraph(places))


def quantize_parameters(model: ModelWrapper, cfg: Any = None) -> ModelWrapper:
    """Rounds the constants that Add and Mul nodes have to a fixed-point datatype.

    Options: `fixedpt_dtype`, such as `FIXED<8,4>`; `op_filter`, a function that chooses other nodes; `rounding_mode`
    ("ROUND"). Raises StepConfigError without the first.
    """
    from qonnx.transformation.fixedpt_quantize import FixedPointQuantizeParams  # QONNX before 1.0 has none

    datatype = _required(cfg, "quantize_parameters", "fixedpt_dtype", '"FIXED<8,4>"')
    return model.transform(FixedPointQuantizeParams(datatype, **_options(cfg, "op_filter", "rounding_mode")))


def prune_channels(model: ModelWrapper, cfg: Any = None) -> ModelWrapper:
    """Removes channels of tensors, and what depends on them, from a model.

    It must have come from `cleanup` with `extract_conv_bias=True, preserve_qnt_ops=False`. Options: `prune_spec`,
    `{tensor: {axis: {channels}}}`; `lossy` (True), whether the outputs may change. Raises StepConfigError without
    `prune_spec`.
    """
    spec = _required(cfg, "prune_channels", "prune_spec", '{"tensor": {0: {1, 2}}}')
    return model.transform(PruneChannels(spec, **_options(cfg, "lossy")))


def change_batch_size(model: ModelWrapper, cfg: Any = None) -> ModelWrapper:
    """Sets the first dimension of the inputs, and the shapes that follow from it. Option: `batch_size` (1)."""
    return model.transform(ChangeBatchSize(_options(cfg, "batch_size").get("batch_size", 1))).transform(InferShapes())


def _options(cfg: Any, *names: str) -> dict[str, Any]:
    """Those of the named options that `cfg` holds."""
    held = cfg if isinstance(cfg, Mapping) else {name: getattr(cfg, name) for name in names if hasattr(cfg, name)}
    return {name: held[name] for name in names if name in held}


def _required(cfg: Any, step: str, name: str, example: str) -> Any:
    options = _options(cfg, name)
    if not options:
        raise StepConfigError(f"{step} needs {name}; give it a cfg such as {{{name!r}: {example}}}")
    return options[name]

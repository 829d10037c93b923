"""Nodes that stand for hardware: without a simulator most of them cannot be executed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .verdict import Outcome, Verdict

_MARK = "fpgadataflow"  # FINN's attribute `backend`, and in the domains of its nodes


def hardware_ops(model: Any) -> set[str]:
    """The op types of the nodes of a model that stand for hardware."""
    return {node.op_type for node in getattr(model, "model", model).graph.node if _is_hardware(node)}


def beyond_simulation(verdict: Verdict, before: Any, after: Any) -> Verdict:
    """A verdict on two models; UNPROVEN instead of BROKEN where only the model after has nodes of hardware."""
    new = sorted(hardware_ops(after) - hardware_ops(before)) if verdict.outcome is Outcome.BROKEN else []
    if not new:
        return verdict
    why = f"nodes of hardware cannot be executed here: {', '.join(new)} ({verdict.why})"
    return replace(verdict, outcome=Outcome.UNPROVEN, why=why)


def _is_hardware(node: Any) -> bool:
    return _MARK in node.domain or any(a.name == "backend" and a.s == _MARK.encode() for a in node.attribute)

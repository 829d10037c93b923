"""What QONNX's cleanup does to every model, and what undoes it: other places of the same values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..text.format import counted
from .annotations import Tensors
from .match import Match


def tidying(match: Match, tensors: Tensors, swapped: Sequence[int]) -> Counter[str]:
    """How many inputs were swapped, constants stored otherwise, and initializers listed as inputs or no longer.

    `swapped` are the commutative nodes that read the same tensors in another order, constants aside.
    """
    old, new = match.old, match.new
    nodes = {mine for mine in old.sorted if mine in match.forward and match.forward[mine] not in new.sorted}
    nodes |= {match.backward[theirs] for theirs in new.sorted if theirs in match.backward} - old.sorted
    counts = Counter({"swapped": len(nodes.union(swapped))})
    for mine in old.constants:
        theirs = tensors.get(mine)
        if theirs is not None and theirs in new.constants:
            was, now = mine in old.constant_nodes, theirs in new.constant_nodes
            counts["to initializers"] += was and not now
            counts["to Constant nodes"] += now and not was
            was, now = mine in old.static_inputs, theirs in new.static_inputs
            counts["from inputs"] += was and not now
            counts["to inputs"] += now and not was
    return +counts


def tidying_text(counts: Counter[str]) -> str:
    """`inputs of 3 commutative nodes swapped, 5 Constant nodes made initializers`"""
    texts = {
        "swapped": f"inputs of {counted(counts['swapped'], 'commutative node')} swapped",
        "to initializers": f"{counted(counts['to initializers'], 'Constant node')} made initializers",
        "to Constant nodes": f"{counted(counts['to Constant nodes'], 'initializer')} made Constant nodes",
        "from inputs": f"{counted(counts['from inputs'], 'initializer')} no longer listed as inputs",
        "to inputs": f"{counted(counts['to inputs'], 'initializer')} listed as inputs",
    }
    return ", ".join(text for name, text in texts.items() if counts[name])

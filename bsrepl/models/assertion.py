"""`assert_same`, for tests of passes: two models compute the same."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from functools import cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .process.prover import Prover

_MOST = 14  # lines on the graphs; pytest shows all of them twice where CI is set, and that fits a screen
_LONGEST = 160  # characters of one of them


def assert_same(
    before: Any,
    after: Any,
    *,
    tolerance: float | None = None,
    inputs: Any = None,
    shapes: Mapping[str, Any] | None = None,
    expected: Any = None,
    limit: float = 60.0,
) -> None:
    """Raises AssertionError unless two models were shown to compute the same, `OK` or `OK up to rounding`.

    Models are ModelWrappers, ModelProtos, bytes, paths or the names of samples. `inputs` are arrays by name, a list of
    such sets, or a .npz or .npy file; without them they are generated. `shapes={"N": 4}` sets dynamic dimensions,
    `expected` are the outputs that are right, `tolerance` is the difference that is allowed, relative to the largest
    magnitude of a channel. The models are executed in another process, for `limit` seconds at most. The message has the
    verdict, with the first node or rewrite that computes something else, and what differs between the graphs.
    """
    __tracebackhide__ = True  # pytest shows the line of the test
    from ..graphdiff import words
    from .feeds.inputs import given
    from .model_diff import compared

    options = {**given(inputs, shapes, expected).options(), "tolerance": tolerance, "limit": limit}
    result = compared(before, after, partial(_prover().verdict, **options), proves_equal_graphs=expected is not None)
    if result.verdict is None or result.verdict:
        return
    lines = [f"{sign} {line}"[:_LONGEST] for sign, line in islice(words.lines(result.difference), _MOST + 1)]
    more = ["..."] if len(lines) > _MOST else []
    raise AssertionError("\n".join([repr(result.verdict), words.headline(result.difference), *lines[:_MOST], *more]))


@cache
def _prover() -> Prover:
    """What executes models for all tests of this process."""
    from .process.executor import Executor
    from .process.prover import Prover

    executor = Executor()
    atexit.register(executor.close)
    return Prover(executor)

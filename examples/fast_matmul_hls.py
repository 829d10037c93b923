"""A backend that writes C++ for high-level synthesis. Try it:

>>> weights = [[1, 2], [3, 4]]
>>> print(backends.FastMatMulHLS.generate(weights))
#include <cstdint>
  ...
extern "C" void fast_matmul(const int32_t x[2], int32_t y[2]) {
  ...
"""

import numpy as np


@backend(kernel="FastMatMul", language="hls", default=True)
class FastMatMulHLS:
    """Integer matrix product with constant weights; plain C++ to a compiler, pipelined hardware to a synthesiser."""

    @staticmethod
    def generate(weights, acc_bits=32, name="fast_matmul"):
        """The source of `void name(const intN_t x[K], intN_t y[N])` for integer weights [K, N]."""
        weights = np.asarray(weights).astype(np.int64)
        inner, outer = weights.shape
        rows = ",\n".join("    {" + ", ".join(map(str, row)) + "}" for row in weights)
        return f"""\
#include <cstdint>

static const int{acc_bits}_t W[{inner}][{outer}] = {{
{rows}
}};

extern "C" void {name}(const int{acc_bits}_t x[{inner}], int{acc_bits}_t y[{outer}]) {{
#pragma HLS ARRAY_PARTITION variable=y complete
    for (int n = 0; n < {outer}; n++) {{
#pragma HLS UNROLL
        y[n] = 0;
    }}
    for (int k = 0; k < {inner}; k++) {{
#pragma HLS PIPELINE II=1
        for (int n = 0; n < {outer}; n++) {{
#pragma HLS UNROLL
            y[n] += x[k] * W[k][n];
        }}
    }}
}}
"""

"""A backend that writes Verilog. Try it:

>>> weights = [[1, 2], [3, 4]]
>>> print(backends.FastMatMulRTL.generate(weights))
module fast_matmul (
  ...
            2'd0: w = {4'h2, 4'h1};
            2'd1: w = {4'h4, 4'h3};
  ...
"""

import numpy as np


@backend(kernel="FastMatMul", language="rtl")
class FastMatMulRTL:
    """N multipliers and accumulators, one element of x in a clock cycle, the weights in a ROM."""

    @staticmethod
    def generate(weights, x_bits=8, acc_bits=32, name="fast_matmul"):
        """The source of a module for integer weights [K, N].

        While `valid`, an element of x is taken at each rising edge of `clk`; after K of them `done` is 1 and `y` has
        the N results, the first in the lowest bits. `rst` starts over.
        """
        weights = np.asarray(weights).astype(np.int64)
        inner, outer = weights.shape
        w_bits = int(np.abs(weights).max(initial=1)).bit_length() + 1  # with the sign
        count_bits = max(inner.bit_length(), 1)
        rom = "\n".join(
            f"            {count_bits}'d{k}: w = {{{', '.join(_literal(value, w_bits) for value in reversed(row))}}};"
            for k, row in enumerate(weights)
        )
        return f"""\
module {name} (
    input clk, input rst, input valid, input signed [{x_bits - 1}:0] x,
    output reg signed [{outer * acc_bits - 1}:0] y, output done
);
    reg [{count_bits - 1}:0] k;
    reg [{outer * w_bits - 1}:0] w;
    assign done = k == {count_bits}'d{inner};
    always @(*)
        case (k)
{rom}
            default: w = 0;
        endcase
    genvar n;
    generate
        for (n = 0; n < {outer}; n = n + 1) begin : lane
            wire signed [{w_bits - 1}:0] weight = w[n*{w_bits} +: {w_bits}];
            wire signed [{acc_bits - 1}:0] sum = $signed(y[n*{acc_bits} +: {acc_bits}]) + x * weight;
            always @(posedge clk)
                if (rst) y[n*{acc_bits} +: {acc_bits}] <= 0;
                else if (valid && !done) y[n*{acc_bits} +: {acc_bits}] <= sum;
        end
    endgenerate
    always @(posedge clk)
        if (rst) k <= 0;
        else if (valid && !done) k <= k + 1;
endmodule
"""


def _literal(value, bits):
    """A number in two's complement: `4'hd` is -3."""
    return f"{bits}'h{int(value) & ((1 << bits) - 1):x}"

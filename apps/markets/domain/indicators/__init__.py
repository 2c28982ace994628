"""Indicators for strategies and charts: one definition each, used over whole arrays or one bar at a time with the same bits.

    compute("bollinger", {"close": closes}, length=20, factor=2.0)["upper"]      # whole columns, nan until warm
    rsi = stream("rsi", length=14); rsi.update(close)                            # bar by bar, nan until warm
    Ema(20).update(close); Sma(20).update(close)                                 # the two averages alone, at a tenth of a microsecond
    ema_nb(values, 20, out)                                                      # their kernels, to call from other kernels

`INDICATORS` lists them with description, parameters (defaults, bounds), inputs and outputs; a single output bears the indicator's name.

Rules that hold for all:
- Nan means "not warm". A bar with a nan or an infinity in an input is answered with nan and changes nothing: the next bar goes on from before.
- Exponential averages inside an indicator are seeded with the mean of their first values (as in TA-Lib), Wilder's averages likewise; the
  indicator `ema` and the class `Ema` are seeded with the first value unless told otherwise. What starts from something else says so in its
  description.
- Where something would be divided by 0 the description says what stands instead; a quotient of moves that are all 0 is the middle of its scale.
- Lengths count bars, this one included. Nothing looks ahead: the value of a bar depends on that bar and those before it.

How to add an indicator:
1. Write a function in the module of `definitions/` for its kind: it takes `bars` and the parameters and answers a node, or a dict of named
   nodes (the first is what `update` answers). Build it from `bars.close` and the others with `+ - *` and the words of `nodes.py`; divide with
   `ratio`. Decorate it with `@indicator(name, KIND, description, parameter=Whole(14))`. Inputs, outputs and warm-up are read off the graph.
2. Only when no word fits, add one: a step in `recursions_nb.py` (what remembers) or a measure in `windows_nb.py` (what looks at the last values),
   its array kernel, and the word in `nodes.py`. The bar-by-bar form runs the same step or measure.
3. `tests/unit/markets/test_indicators.py` checks every entry of the registry by itself (stream = compute, warm-up, nan, no look-ahead). Add a
   small table of your own, and a row in `tests/conformance/test_indicator_cases.py` where an outside judge exists.
"""

from apps.markets.domain.indicators import definitions as definitions
from apps.markets.domain.indicators.averages import Ema, Sma, Wilder
from apps.markets.domain.indicators.graph import INPUTS, FloatArray
from apps.markets.domain.indicators.registry import INDICATORS, Choice, Indicator, Number, Stream, Whole, compute, stream

__all__ = [
    "INDICATORS",
    "INPUTS",
    "Choice",
    "Ema",
    "FloatArray",
    "Indicator",
    "Number",
    "Sma",
    "Stream",
    "Whole",
    "Wilder",
    "compute",
    "stream",
]

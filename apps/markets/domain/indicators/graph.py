"""What an indicator is made of: nodes that can be worked out over whole arrays or one bar at a time.

A definition is a function that combines nodes with `+ - *` and the builders of `nodes.py`. It is written once: `work_out` evaluates the
graph over arrays (kernels, numpy), `Program` evaluates the same graph bar by bar with plain floats. Both do the same operations in the same
order, so they give the same bits.

Nan means "not warm yet". A nan that reaches a node is answered with nan and changes nothing inside it; the vector form drops such rows
before the kernel and puts nan in their place. Division exists only as `ratio`, which says what a zero below gives.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Update = Callable[..., float]

INPUTS = ("open", "high", "low", "close", "volume", "reference")
"""Columns that an indicator may read; `reference` is the close of the instrument it is compared with."""


class Node:
    """One series inside an indicator.

    `start()` gives a fresh function for bar-by-bar use, `fill(*arrays, out)` writes the whole series. `warmup` is the number of bars until the
    first value. `drops_nan`: `fill` wants finite rows only.
    """

    __slots__ = ("drops_nan", "fill", "sources", "start", "warmup")

    def __init__(
        self,
        sources: Sequence[Node],
        start: Callable[[], Update],
        fill: Callable[..., object],
        *,
        delay: int = 0,
        drops_nan: bool = False,
        warmup: int | None = None,
    ) -> None:
        self.sources = tuple(sources)
        self.start = start
        self.fill = fill
        self.drops_nan = drops_nan
        latest: int = max((source.warmup for source in self.sources), default=1)
        self.warmup: int = latest + delay if warmup is None else warmup

    def __add__(self, other: Node | float) -> Node:
        return _combined(self, other, operator.add, np.add)

    __radd__ = __add__

    def __sub__(self, other: Node | float) -> Node:
        return _combined(self, other, operator.sub, np.subtract) if isinstance(other, Node) else self + -other

    def __rsub__(self, other: float) -> Node:
        return pointwise(partial(operator.sub, float(other)), lambda values, out: np.subtract(float(other), values, out=out), self)

    def __mul__(self, other: Node | float) -> Node:
        return _combined(self, other, operator.mul, np.multiply)

    __rmul__ = __mul__

    def __truediv__(self, other: float) -> Node:
        divisor = float(other)
        return pointwise(lambda value: value / divisor, lambda values, out: np.divide(values, divisor, out=out), self)


class Input(Node):
    """A column of the bars."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__((), lambda: float, np.copyto)
        self.name = name


def pointwise(scalar: Update, fill: Callable[..., object], *sources: Node) -> Node:
    """A node whose value depends on this bar's values alone; both forms must answer nan with nan."""
    return Node(sources, lambda: scalar, fill)


def _combined(left: Node, right: Node | float, scalar: Callable[[float, float], float], vector: np.ufunc) -> Node:
    if isinstance(right, Node):
        return pointwise(scalar, lambda first, second, out: vector(first, second, out=out), left, right)
    constant = float(right)
    return pointwise(partial(scalar, constant), lambda values, out: vector(constant, values, out=out), left)


class Bars:
    """The columns as nodes; one node for each, made when first asked for."""

    def __init__(self) -> None:
        self.inputs: dict[str, Input] = {}

    def column(self, name: str) -> Node:
        if name not in self.inputs:
            self.inputs[name] = Input(name)
        return self.inputs[name]

    @property
    def open(self) -> Node:
        return self.column("open")

    @property
    def high(self) -> Node:
        return self.column("high")

    @property
    def low(self) -> Node:
        return self.column("low")

    @property
    def close(self) -> Node:
        return self.column("close")

    @property
    def volume(self) -> Node:
        return self.column("volume")

    @property
    def reference(self) -> Node:
        return self.column("reference")

    def names(self) -> tuple[str, ...]:
        """The columns that were asked for, in the order of `INPUTS`."""
        return tuple(name for name in INPUTS if name in self.inputs)


def in_order(outputs: Sequence[Node]) -> list[Node]:
    """Every node that the outputs need, sources before users, each once."""
    order: dict[Node, None] = {}
    waiting = list(reversed(outputs))
    while waiting:
        node = waiting[-1]
        missing = [source for source in node.sources if source not in order]
        if missing:
            waiting.extend(reversed(missing))
        else:
            order.setdefault(waiting.pop())
    return list(order)


def work_out(outputs: Sequence[Node], columns: dict[str, FloatArray], length: int) -> list[FloatArray]:
    """The series of each output over whole columns (finite float64 arrays of one length). Arrays in between are used again once nobody
    needs them: fresh memory costs more than the arithmetic."""
    order = in_order(outputs)
    users = Counter(source for node in order for source in node.sources)
    users.update(outputs)
    done: dict[Node, FloatArray] = {}
    free: list[FloatArray] = []
    with np.errstate(all="ignore"):
        for node in order:
            if isinstance(node, Input):
                done[node] = columns[node.name]
                continue
            out = free.pop() if free else np.empty(length)
            _fill(node, [done[source] for source in node.sources], out)
            done[node] = out
            users.subtract(node.sources)
            free.extend(done.pop(source) for source in set(node.sources) if not users[source] and not isinstance(source, Input))
    return [done[node] for node in outputs]


def _fill(node: Node, arrays: list[FloatArray], out: FloatArray) -> None:
    if not node.drops_nan:
        node.fill(*arrays, out)
        return
    blank = np.isnan(arrays[0])
    for array in arrays[1:]:
        blank |= np.isnan(array)
    first = int(np.argmin(blank)) if len(blank) else 0
    if not blank[first:].any():
        out[:first] = np.nan
        node.fill(*(array[first:] for array in arrays), out[first:])
        return
    kept = ~blank
    inside = np.empty(int(kept.sum()))
    node.fill(*(array[kept] for array in arrays), inside)
    out[blank] = np.nan
    out[kept] = inside


class Program:
    """The graph made ready for bar-by-bar use: a flat list of steps over a list of floats, the inputs first."""

    __slots__ = ("_cells", "_inputs", "_outputs", "_steps")

    def __init__(self, inputs: Sequence[Node], outputs: Sequence[Node]) -> None:
        order = [*inputs, *(node for node in in_order(outputs) if not isinstance(node, Input))]
        place = {node: index for index, node in enumerate(order)}
        self._cells = [float("nan")] * len(order)
        self._inputs = len(inputs)
        self._outputs = tuple(place[node] for node in outputs)
        self._steps = tuple((place[node], node.start(), *_places(node, place)) for node in order[len(inputs) :])

    def update(self, values: Sequence[float]) -> float:
        """Work out one bar; answers the first output."""
        cells = self._cells
        cells[: self._inputs] = values
        for target, function, first, second, more in self._steps:
            if second < 0:
                cells[target] = function(cells[first])
            elif more is None:
                cells[target] = function(cells[first], cells[second])
            else:
                cells[target] = function(cells[first], cells[second], *[cells[index] for index in more])
        return cells[self._outputs[0]]

    def output(self, index: int) -> float:
        return self._cells[self._outputs[index]]


def _places(node: Node, place: dict[Node, int]) -> tuple[int, int, tuple[int, ...] | None]:
    found = [place[source] for source in node.sources]
    return found[0], found[1] if len(found) > 1 else -1, tuple(found[2:]) or None

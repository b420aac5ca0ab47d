"""Back-propagation in one class. A Value holds a number; arithmetic on Values gives Values that remember what they were
made from. backward() walks from the result back to all it was made of, each node after all that use it, and adds up

    grad of a node = sum over its uses of (grad of the result of that use) * (derivative of the result by the node)

After y.backward(), a.grad is dy/da for every Value a that y was made from. Write + - * / ** and unary minus, tanh(),
relu(), exp(); plain numbers may stand on either side (2 - v, 2 / v), exponents are plain numbers. A node may be used
many times. Chains of 4,000 nodes must work, so backward cannot recurse.
"""

import math
from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import AUTOGRAD, Exercise, Fault
from handmade.workshop.switches import wrong


class Value:
    """A number, its gradient, and what it was made from.

    data: the number. grad: 0.0 until backward() is called on what it was used for.
    """

    def __init__(self, data, parents=(), slopes=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.slopes = slopes  # d self / d parent, for each of them

    def __add__(self, other):
        other = _value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = _value(other)
        slopes = (self.data, other.data) if wrong("product: factors not exchanged") else (other.data, self.data)
        return Value(self.data * other.data, (self, other), slopes)

    def __truediv__(self, other):
        other = _value(other)
        quotient = self.data / other.data
        below = quotient / other.data if wrong("quotient: no minus") else -quotient / other.data
        return Value(quotient, (self, other), (1.0 / other.data, below))

    def __pow__(self, exponent):
        power = self.data ** (exponent if wrong("power: exponent not lowered") else exponent - 1)
        slope = power if wrong("power: no exponent") else exponent * power
        return Value(self.data**exponent, (self,), (slope,))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        other = _value(other)
        return Value(self.data - other.data, (self, other), (1.0, 1.0 if wrong("difference: no minus") else -1.0))

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return self - other if wrong("number minus value turned round") else _value(other) - self

    def __rtruediv__(self, other):
        return self / other if wrong("number over value turned round") else _value(other) / self

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, (self,), (1.0 - (self.data if wrong("tanh: 1 - x^2") else y) ** 2,))

    def relu(self):
        passes = self.data > 0
        return Value(self.data if passes else 0.0, (self,), (1.0 if passes or wrong("relu: slope 1 below 0") else 0.0,))

    def exp(self):
        y = math.exp(self.data)
        return Value(y, (self,), (self.data if wrong("exp: slope x") else y,))

    def backward(self):
        """Fill in grad for all that this was made from: its derivative by each."""
        if wrong("recursive sort"):
            order = _recursive(self, [], set())
        elif wrong("breadth first"):
            order = _breadth_first(self)
        else:
            order = _parents_first(self)
        self.grad = 0.0 if wrong("no gradient to start from") else 1.0
        for node in reversed(order):
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                if wrong("gradient overwritten"):
                    parent.grad = slope * node.grad
                else:
                    parent.grad += slope * node.grad


def _value(number):
    """Plain numbers as Values, Values as they are."""
    return number if isinstance(number, Value) else Value(number)


def _parents_first(result):
    """All nodes under the result, each after its parents: depth first, with a stack of its own."""
    order, seen, stack = [], set(), [(result, False)]
    while stack:
        node, parents_are_done = stack.pop()
        if parents_are_done:
            order.append(node)
        elif node not in seen:
            if not wrong("shared nodes taken again"):
                seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order


def _recursive(node, order, seen):
    """All nodes under this one, each after its parents."""
    if node not in seen:
        if not wrong("shared nodes taken again"):
            seen.add(node)
        for parent in node.parents:
            _recursive(parent, order, seen)
        order.append(node)
    return order


def _breadth_first(result):
    """All nodes under the result, the farthest first."""
    order, seen = [result], {result}
    for node in order:
        for parent in node.parents:
            if parent not in seen:
                if not wrong("shared nodes taken again"):
                    seen.add(parent)
                order.append(parent)
    return order[::-1]


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Programs on the leaves a, b, c that end in y. Each operation by itself on either side, then graphs that share."""

    def case(label: str, program: str) -> Case:
        a, b, c = (round(float(number), 3) for number in rng.uniform(0.4, 1.6, 3))
        return Case(label, extra={"leaves": {"a": a, "b": -b, "c": c}, "program": program})

    yield case("sums and products", "y = a * b + c")
    yield case("differences", "y = (a - b) * (b - c)")
    yield case("quotients", "y = a / b + b / c")
    yield case("minus", "y = -a * c + -b")
    yield case("numbers on the right", "y = ((a + 2) * 3 + (b - 4) + c / 5) * a")
    yield case("numbers on the left", "y = (2 + a) * (3 * b) + c")
    yield case("a number minus a value", "y = (2 - a) * b + c")
    yield case("a number over a value", "y = 3 / a + 2.5 / b + c")
    yield case("powers", "y = a ** 3 + b ** 2 + c ** -0.5")
    yield case("tanh", "y = a.tanh() + (b * c).tanh()")
    yield case("relu, both sides of 0", "y = (a.relu() + 2) * (b.relu() + 3) + (c * b).relu() + (a * c).relu()")
    yield case("exp", "y = a.exp() + (b * c).exp()")
    yield case("the same twice", "y = a * a + (b + b) + c / c * b")
    yield case("shared nodes", "t = a * b\nu = t.tanh() + t\ny = u * t + u * c")
    yield case("a short way and a long one", "t = a * b\nlong = ((t.exp() + c).tanh() * c).exp()\ny = t * long + t")
    yield case("a long way and a short one", "t = b * c\nu = t * a\ny = ((u.tanh() * t).exp() + u) / 2 + u")
    yield case("a chain of 4,000 nodes", "y = a * c - b\nfor _ in range(4000):\n    y = y.relu()")


EXERCISE = Exercise(
    title="Back-propagation through scalars",
    paper="Rumelhart, Hinton and Williams 1986, Learning Representations by Back-Propagating Errors; "
    "Griewank and Walther 2008, Evaluating Derivatives, section 3.2",
    minutes=30,
    functions=(Value,),
    outputs=("data", "grads"),
    cases=cases,
    faults={
        "product: factors not exchanged": Fault(
            "In a product, each factor's slope is its own value.",
            "d(ab)/da is b: weights are pushed by their own value, not by their input.",
            "The first factor's slope is the second's data, and vice versa.",
        ),
        "quotient: no minus": Fault(
            "The divisor's slope lacks its minus.",
            "A divisor, such as a norm or a sum of exponentials, is pushed the wrong way.",
            "d(a/b)/db = -a / b^2.",
        ),
        "power: no exponent": Fault(
            "The slope of x^n lacks the factor n.",
            "A squared error's gradient is half as large, a cube's a third.",
            "d(x^n)/dx = n x^(n-1).",
        ),
        "power: exponent not lowered": Fault(
            "The slope of x^n is taken as n x^n.",
            "Gradients have the wrong size, and at negative x the wrong sign.",
            "d(x^n)/dx = n x^(n-1).",
        ),
        "difference: no minus": Fault(
            "In a - b, the slope of b is 1, not -1.",
            "In an error such as prediction - target, what is subtracted is pushed away from where it should go.",
            "The slopes of a - b are 1 and -1.",
        ),
        "number minus value turned round": Fault(
            "2 - v gives v - 2.",
            "Terms such as 1 - p have the wrong sign, in the value and in its gradient.",
            "In __rsub__ the other operand comes first: other - self.",
        ),
        "number over value turned round": Fault(
            "2 / v gives v / 2.",
            "A quotient turned over has another value and another gradient.",
            "In __rtruediv__ the other operand comes first: other / self.",
        ),
        "tanh: 1 - x^2": Fault(
            "tanh's slope was computed from its input: 1 - x^2.",
            "Beyond |x| = 1 it is negative: units are pushed the wrong way.",
            "1 - y^2, with y = tanh(x).",
        ),
        "relu: slope 1 below 0": Fault(
            "relu lets the gradient through where its input is negative.",
            "Units that are off are trained as though they were on.",
            "The slope is 1 above 0, and 0 below.",
        ),
        "exp: slope x": Fault(
            "exp's slope is taken to be its input.",
            "exp is its own derivative: the gradient has nothing to do with x.",
            "The slope is exp(x), the result itself.",
        ),
        "recursive sort": Fault(
            "backward calls itself once for each node down the graph.",
            "Python stops at about 1,000 calls: a long sum or a long recurrent network cannot be trained.",
            "Keep a list as a stack of the nodes still to be visited.",
        ),
        "breadth first": Fault(
            "Nodes are taken level by level from the result, so some are taken before all their uses.",
            "A node reached by a short path and a long one passes on a gradient without the long path's part.",
            "Sort so that each node comes after its parents, and go through that order backwards.",
        ),
        "no gradient to start from": Fault(
            "The result's own gradient is not set to 1.",
            "All gradients are 0: nothing is learned.",
            "dy/dy = 1: set self.grad = 1.0 before the walk.",
        ),
        "gradient overwritten": Fault(
            "A node's gradient is set, not added to.",
            "A node used twice keeps the part of one use only: shared weights learn from their last use.",
            "parent.grad += slope * node.grad.",
        ),
        "shared nodes taken again": Fault(
            "A node used several times is visited once for each use, and each time passes on all it has so far.",
            "Below a shared node gradients are counted several times, and the work doubles at every sharing.",
            "Keep the set of nodes already visited.",
        ),
    },
    hints=(
        "Store with each result its parents, and its derivative by each of them. Arithmetic needs no more.",
        "backward must take each node after all its uses. Sort the graph first, parents before results; then reverse.",
        "Depth first with your own stack of (node, done): push (node, True), then its parents; append when it comes "
        "back. Then grad = 1 and, from the end, parent.grad += slope * node.grad",
    ),
    driver="scalar_graph",
    forbidden=AUTOGRAD,
)

# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% closures
import math


class Value:
    def __init__(self, data, children=()):
        self.data, self.grad = data, 0
        self._children = set(children)
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def _unary(self, data, slope):
        out = Value(data, (self,))

        def _backward():
            self.grad += slope * out.grad

        out._backward = _backward
        return out

    def __pow__(self, exponent):
        return self._unary(self.data**exponent, exponent * self.data ** (exponent - 1))

    def tanh(self):
        t = (math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)
        return self._unary(t, 1 - t * t)

    def relu(self):
        return self._unary(max(0.0, self.data), float(self.data > 0))

    def exp(self):
        return self._unary(math.exp(self.data), math.exp(self.data))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return other + (-self)

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1

    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self):
        topological, visited, stack = [], {self}, [(self, iter(self._children))]
        while stack:
            node, children = stack[-1]
            for child in children:
                if child not in visited:
                    visited.add(child)
                    stack.append((child, iter(child._children)))
                    break
            else:
                topological.append(node)
                stack.pop()
        self.grad = 1
        for node in reversed(topological):
            node._backward()


# %% a tape
import numpy as np

TAPE = []


class Value:
    def __init__(self, data):
        self.data, self.grad = float(data), 0.0

    def record(self, data, *parents):
        out = Value(data)
        TAPE.append((out, parents))
        return out

    def __add__(self, other):
        if isinstance(other, Value):
            return self.record(self.data + other.data, (self, 1), (other, 1))
        return self.record(self.data + other, (self, 1))

    def __mul__(self, other):
        if isinstance(other, Value):
            return self.record(self.data * other.data, (self, other.data), (other, self.data))
        return self.record(self.data * other, (self, other))

    def __pow__(self, n):
        return self.record(self.data**n, (self, n * self.data ** (n - 1)))

    def __neg__(self):
        return self.record(-self.data, (self, -1))

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        return self * (other**-1 if isinstance(other, Value) else 1 / other)

    def __rtruediv__(self, other):
        return self**-1 * other

    __radd__, __rmul__ = __add__, __mul__

    def tanh(self):
        return self.record(np.tanh(self.data), (self, 1 / np.cosh(self.data) ** 2))

    def relu(self):
        return self.record(np.maximum(self.data, 0), (self, np.heaviside(self.data, 0)))

    def exp(self):
        return self.record(np.exp(self.data), (self, np.exp(self.data)))

    def backward(self):
        self.grad = 1.0
        for out, parents in reversed(TAPE):
            for parent, slope in parents:
                parent.grad += slope * out.grad
        TAPE.clear()


# %% counting uses
import math


class Value:
    def __init__(self, data, *edges):
        self.data, self.grad, self.edges = data, 0.0, edges

    @staticmethod
    def of(x):
        return x if isinstance(x, Value) else Value(x)

    def __add__(self, other):
        other = Value.of(other)
        return Value(self.data + other.data, (self, 1), (other, 1))

    def __sub__(self, other):
        other = Value.of(other)
        return Value(self.data - other.data, (self, 1), (other, -1))

    def __mul__(self, other):
        other = Value.of(other)
        return Value(self.data * other.data, (self, other.data), (other, self.data))

    def __truediv__(self, other):
        a, b = self.data, Value.of(other)
        return Value(a / b.data, (self, 1 / b.data), (b, -a / b.data**2))

    def __radd__(self, other):
        return Value.of(other) + self

    def __rsub__(self, other):
        return Value.of(other) - self

    def __rmul__(self, other):
        return Value.of(other) * self

    def __rtruediv__(self, other):
        return Value.of(other) / self

    def __neg__(self):
        return 0 - self

    def __pow__(self, n):
        return Value(math.pow(self.data, n), (self, n * math.pow(self.data, n - 1)))

    def tanh(self):
        return Value(math.tanh(self.data), (self, 1 - math.tanh(self.data) ** 2))

    def relu(self):
        return Value(self.data, (self, 1)) if self.data > 0 else Value(0, (self, 0))

    def exp(self):
        return Value(math.exp(self.data), (self, math.exp(self.data)))

    def backward(self):
        uses, found = {self: 0}, [self]
        for node in found:
            for parent, _ in node.edges:
                if parent not in uses:
                    uses[parent] = 0
                    found.append(parent)
                uses[parent] += 1
        self.grad, ready = 1.0, [self]
        while ready:
            node = ready.pop()
            for parent, slope in node.edges:
                parent.grad += node.grad * slope
                uses[parent] -= 1
                if uses[parent] == 0:
                    ready.append(parent)

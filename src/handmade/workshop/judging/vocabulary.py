"""What may stand in the place of what: operators, comparisons, functions that are mistaken for each other."""

import ast

OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.MatMult: "@",
    ast.FloorDiv: "//",
    ast.Pow: "**",
    ast.Mod: "%",
    ast.BitXor: "^",
    ast.BitAnd: "&",
    ast.BitOr: "|",
}

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
}

FAMILIES = (
    ("max", "min", "sum", "mean", "prod"),
    ("amax", "amin"),
    ("var", "std"),
    ("zeros_like", "ones_like", "empty_like"),
    ("zeros", "ones"),
    ("argmax", "argmin"),
    ("exp", "log", "sqrt", "square", "tanh", "abs", "expm1", "log1p", "exp2", "log2", "log10", "sin", "cos"),
    ("maximum", "minimum"),
    ("triu", "tril", "tri"),
    ("floor", "ceil", "round", "rint", "trunc"),
    ("cumsum", "sum", "cumprod"),
    ("relu", "tanh", "sigmoid", "gelu", "softmax"),
    ("append", "extend"),
    ("concatenate", "stack", "hstack", "vstack", "column_stack"),
    ("multiply", "divide", "add", "subtract"),
    ("sinh", "tanh"),
    ("outer", "inner", "dot", "matmul"),
    ("any", "all"),
    ("argsort", "sort"),
    ("normal", "uniform", "standard_normal"),
    ("mT", "T"),
    ("least", "most_common"),
    ("inf", "nan"),
    ("grad", "data"),
)
"""Names of which one is taken for another."""

AXES = ("(0, 1)", "(1, 2)", "(2, 3)", "(0, 2, 3)", "(1, 2, 3)", "(0, 2)", "None")

_AXIS = ("-1", "0", "1", "-2", "(2, 3)", "(0, 2, 3)")
_SUMS = {"axis": _AXIS, "keepdims": ("True",)}
_SPREADS = {"axis": _AXIS, "keepdims": ("True",), "ddof": ("1",), "correction": ("0",)}
_ALONG = {"axis": ("-1", "0", "1", "2")}

REDUCTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("sum", "mean", "max", "min", "prod", "amax", "amin"), _SUMS),
    **dict.fromkeys(("var", "std"), _SPREADS),
    **dict.fromkeys(("argmax", "argmin", "cumsum", "softmax", "concatenate", "stack", "flip", "argsort"), _ALONG),
    **dict.fromkeys(("sort", "split", "repeat"), _ALONG),
    "norm": {"axis": ("-1",), "keepdims": ("True",)},
}
"""What reductions and their like may be given besides."""

INDEXED = ("tril", "triu", "tri", "eye")

WRAPPERS = (
    ("{atom}.T", "a transposition", 1.3),
    ("{atom}.swapaxes(-1, -2)", "a transposition", 1.4),
    ("{atom}.swapaxes(0, 1)", "a transposition", 1.5),
    ("np.moveaxis({text}, 1, -1)", "a transposition", 1.6),
    ("{atom}.copy()", "a copy", 1.4),
    ("-{atom}", "a sign", 1.3),
    ("~{atom}", "the mask the other way round", 1.3),
    ("1 - {atom}", "1 minus it", 1.5),
    ("1 / {atom}", "its inverse", 1.6),
    ("{atom} + 1", "one more", 1.4),
    ("{atom} - 1", "one less", 1.4),
    ("np.sqrt({text})", "a square root", 1.4),
    ("{atom} ** 2", "a square", 1.4),
    ("{atom} ** 3", "a cube", 1.6),
    ("{atom} / 2", "a half", 1.6),
    ("0.5 * {atom}", "a half", 1.6),
    ("2 * {atom}", "twice it", 1.6),
    ("{atom} + 1e-5", "an epsilon", 1.7),
    ("np.exp({text})", "an exponential", 1.7),
    ("np.log({text})", "a logarithm", 1.7),
    ("np.tanh({text})", "tanh", 1.6),
    ("1 / (1 + np.exp(-({text})))", "a sigmoid", 1.7),
    ("np.maximum({text}, 0)", "a ReLU", 1.6),
    ("np.abs({text})", "its size", 1.7),
    ("{atom}[::-1]", "the order of it", 1.6),
    ("{atom}[:, ::-1]", "the order of it", 1.8),
    ("{atom}[:-1]", "an end left out", 1.7),
    ("{atom}[1:]", "a beginning left out", 1.7),
    ("{atom}[:, None]", "an axis", 1.7),
    ("{atom}[None]", "an axis", 1.8),
    ("{atom}[..., None]", "an axis", 1.7),
    ("{atom}[:, None, None]", "axes", 1.6),
    ("list({text})", "a list", 1.7),
    ("sorted({text})", "an order", 1.7),
    ("int({text})", "a whole number", 1.6),
    ("{atom}.astype(float)", "its type", 1.6),
    ("({atom} - {atom}.max(-1, keepdims=True))", "the maximum subtracted", 1.7),
    ("{atom} / {atom}.sum(-1, keepdims=True)", "a division by the sum", 1.7),
    ("{atom}.sum(0)", "a sum", 1.7),
    ("{atom}.sum(1)", "a sum", 1.7),
    ("{atom}.sum(-1)", "a sum", 1.7),
    ("{atom}.sum(-1, keepdims=True)", "a sum", 1.7),
    ("{atom}.mean()", "a mean", 1.7),
    ("{atom}.mean(0)", "a mean", 1.8),
    ("{atom}.mean(-1, keepdims=True)", "a mean", 1.8),
    ("{atom} / len({text})", "a mean", 1.8),
)
"""What may be missing around an expression, what that is called, and how much it costs."""

"""The functions of torch that work on each number alone, by their plain names."""

ACTIVATIONS = frozenset(
    (
        "relu",
        "relu6",
        "leaky_relu",
        "prelu",
        "gelu",
        "silu",
        "mish",
        "elu",
        "selu",
        "celu",
        "sigmoid",
        "tanh",
        "hardswish",
        "hardsigmoid",
        "hardtanh",
        "logsigmoid",
        "softplus",
        "softsign",
        "tanhshrink",
        "softshrink",
        "hardshrink",
        "threshold",
        "dropout",
        "dropout1d",
        "dropout2d",
        "dropout3d",
        "alpha_dropout",
        "feature_dropout",
    )
)
"""Activations and dropout: one tensor in, the same shape out."""

ARITHMETIC = frozenset(
    (
        "add",
        "sub",
        "rsub",
        "mul",
        "div",
        "true_divide",
        "reciprocal_mul",
        "pow",
        "maximum",
        "minimum",
        "exp",
        "log",
        "sqrt",
        "rsqrt",
        "neg",
        "abs",
        "square",
        "clamp",
        "where",
        "lerp",
        "addcmul",
        "sign",
        "floor",
        "ceil",
        "round",
        "erf",
        "bernoulli",
        "copy",
    )
)
"""Arithmetic, of several tensors where the function takes them."""

"""Names of NumPy."""

from viewfinder.doctor.code.row import Replacement, rows

_NUMPY1 = "numpy 1.24 (2022) no longer has it: AttributeError"
_NUMPY2 = "numpy 2.0 (2024) no longer has it: AttributeError"

NUMPY: dict[str, Replacement] = {
    **rows(
        _NUMPY1,
        "broken",
        {
            **{f"numpy.{name}": name for name in ("float", "int", "object", "str", "complex")},
            "numpy.unicode": "str",
        },
    ),
    **rows(
        _NUMPY2,
        "broken",
        {
            "numpy.float_": "numpy.float64",
            "numpy.complex_": "numpy.complex128",
            "numpy.string_": "numpy.bytes_",
            "numpy.unicode_": "numpy.str_",
            "numpy.NaN": "numpy.nan",
            "numpy.NAN": "numpy.nan",
            "numpy.Inf": "numpy.inf",
            "numpy.Infinity": "numpy.inf",
            "numpy.infty": "numpy.inf",
            "numpy.PINF": "numpy.inf",
            "numpy.NINF": "-numpy.inf",
            "numpy.product": "numpy.prod",
            "numpy.cumproduct": "numpy.cumprod",
            "numpy.alltrue": "numpy.all",
            "numpy.sometrue": "numpy.any",
            "numpy.asfarray": "numpy.asarray({args}, dtype=float)",
            "numpy.asscalar": "{0}.item()",
            "numpy.issubclass_": "issubclass",
            "numpy.find_common_type": "numpy.result_type",
            "numpy.cast": "# x.astype(dtype)",
            "numpy.round_": "numpy.round",
            "numpy.bool8": "numpy.bool_",
            "numpy.cfloat": "numpy.complex128",
            "numpy.longfloat": "numpy.longdouble",
            "numpy.singlecomplex": "numpy.complex64",
            "numpy.msort": "numpy.sort({args}, axis=0)",
        },
    ),
    **rows(
        _NUMPY2,
        "broken",
        {
            **{f"numpy.{name}": "numpy.clongdouble" for name in ("longcomplex", "clongfloat")},
            "numpy.int0": "numpy.intp",
            "numpy.recfromtxt": "numpy.genfromtxt",
            "numpy.recfromcsv": "numpy.genfromtxt({args}, delimiter=',', names=True, dtype=None)",
            "numpy.mat": "numpy.asmatrix",
            "numpy.issubsctype": "numpy.issubdtype",
            "numpy.obj2sctype": "numpy.dtype({0}).type",
            "numpy.sctype2char": "numpy.dtype({0}).char",
            "numpy.fastCopyAndTranspose": "({0}).T.copy()",
            "numpy.byte_bounds": "numpy.lib.array_utils.byte_bounds",
            "numpy.DataSource": "numpy.lib.npyio.DataSource",
            "numpy.format_parser": "numpy.rec.format_parser",
            "numpy.compare_chararrays": "numpy.char.compare_chararrays",
            "numpy.PZERO": "0.0",
            "numpy.NZERO": "-0.0",
            "numpy.sctypes": "# the types by name: numpy.float32, numpy.int64, …",
            "numpy.set_string_function": "numpy.set_printoptions({args})   # formatter=…",
            "numpy.disp": "print",
        },
    ),
    **rows(
        _NUMPY2,
        "broken",
        {"numpy.safe_eval": "ast.literal_eval", "numpy.source": "inspect.getsource"},
        "import ast, inspect",
    ),
    **rows(
        "numpy 2.4 (2025) no longer has it: AttributeError",
        "broken",
        {
            "numpy.in1d": "numpy.isin",
            "numpy.trapz": "numpy.trapezoid",
        },
    ),
    **rows(
        "numpy 1.18 to 1.25 took it out: AttributeError",
        "broken",
        {
            "numpy.rank": "numpy.ndim",
            "numpy.alen": "len",
            "numpy.typeDict": "numpy.sctypeDict",
        },
    ),
    "numpy.warnings": Replacement(
        "warnings", "numpy 1.24 (2022) no longer has it: AttributeError", imports="import warnings"
    ),
    "numpy.row_stack": Replacement("numpy.vstack", "numpy 2.0 and newer warn", "warning"),
    "numpy.random.random_integers": Replacement(
        "numpy.random.randint({args})   # without the end, which random_integers had",
        "numpy warns since 1.11",
        "warning",
    ),
}
"""By the old name, in full."""

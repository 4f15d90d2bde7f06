"""Names of Python 2: modules that were renamed, functions that are gone."""

from viewfinder.doctor.code.row import Replacement, rows

_WHY = "Python 3 no longer has it"
_MODULES = {
    "cPickle": "pickle",
    "ConfigParser": "configparser",
    "Queue": "queue",
    "urllib2": "urllib.request",
    "urlparse": "urllib.parse",
    "Tkinter": "tkinter",
    "httplib": "http.client",
    "__builtin__": "builtins",
}

PYTHON2: dict[str, Replacement] = {
    **{
        old: Replacement(new, f"{_WHY}: ModuleNotFoundError", imports=f"import {new}")
        for old, new in _MODULES.items()
    },
    **rows(
        f"{_WHY}: ModuleNotFoundError; of bytes it is io.BytesIO",
        "broken",
        {f"{module}.StringIO": "io.StringIO" for module in ("StringIO", "cStringIO")},
        "import io",
    ),
    **rows(
        f"{_WHY} there: AttributeError",
        "broken",
        {
            **{f"urllib.{name}": f"urllib.request.{name}" for name in ("urlopen", "urlretrieve")},
            "urllib.URLopener": "urllib.request.urlopen",
        },
        "import urllib.request",
    ),
    **rows(
        f"{_WHY} there: AttributeError",
        "broken",
        {
            f"urllib.{name}": f"urllib.parse.{name}"
            for name in ("quote", "unquote", "urlencode", "quote_plus", "unquote_plus")
        },
        "import urllib.parse",
    ),
    **rows(
        f"{_WHY}: AttributeError",
        "broken",
        {
            "itertools.izip": "zip",
            "itertools.imap": "map",
            "itertools.ifilter": "filter",
            "itertools.izip_longest": "itertools.zip_longest",
            "sys.maxint": "sys.maxsize",
            "os.getcwdu": "os.getcwd",
            "string.letters": "string.ascii_letters",
            "string.lowercase": "string.ascii_lowercase",
            "string.uppercase": "string.ascii_uppercase",
            "string.maketrans": "str.maketrans",
        },
    ),
}
"""By the old name, in full."""

BUILTINS: dict[str, Replacement] = {
    **rows(
        f"{_WHY}: NameError",
        "broken",
        {
            "xrange": "range",
            "raw_input": "input",
            "unicode": "str",
            "basestring": "str",
            "unichr": "chr",
            "long": "int",
        },
    ),
    "reduce": Replacement("functools.reduce", f"{_WHY}: NameError", imports="import functools"),
    "execfile": Replacement("exec(open({0}).read())", f"{_WHY}: NameError"),
}
"""Functions and types that needed no import."""

METHODS = {"iteritems": "items", "itervalues": "values", "iterkeys": "keys"}
"""Of a dict, and until pandas 2 of a table."""

"""The studio's page, as the browser takes it: plain modules, nothing to build."""

from importlib.resources import files

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def assets() -> dict[str, tuple[bytes, str]]:
    """By name, what each file of the page holds and its content type."""
    found = {}
    for each in files(__name__).iterdir():
        suffix = "." + each.name.rpartition(".")[2]
        if suffix in KINDS:
            with each.open("rb") as file:
                found[each.name] = (file.read(), KINDS[suffix])
    # Each is asked for as soon as the page is there, and not once what imports it has come.
    modules = sorted(name for name in found if name.endswith(".js"))
    links = "".join(f'  <link rel="modulepreload" href="/page/{name}">\n' for name in modules)
    page, kind = found["index.html"]
    found["index.html"] = (page.replace(b"</head>", links.encode() + b"</head>", 1), kind)
    return found

"""Pages of HTML: the machine's and the code's are written in one way."""

from collections.abc import Callable, Mapping
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.files import write_text


def write_page(
    file: Path,
    template: str,
    content: Mapping[str, object],
    *,
    filters: Mapping[str, Callable[[str], str]],
) -> None:
    """Write a template with its content as one file, in which nothing is fetched.

    Raises:
        InputError: the file is none of HTML, or cannot be written.
    """
    if file.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"--report {file}: the page is HTML, name it {file.with_suffix('.html')}")
    try:
        from viewfinder.evaluation.templating import environment_of

        environment = environment_of("viewfinder.doctor")
    except ImportError as error:
        raise InputError(
            f"--report needs jinja2, which cannot be imported ({error}): pip install "
            "--force-reinstall jinja2 markupsafe, or send what is printed without --report"
        ) from error
    environment.filters.update(filters)
    write_text(file, environment.get_template(template).render(content))

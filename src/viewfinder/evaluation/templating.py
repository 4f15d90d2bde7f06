"""Templates of pages: everything escaped, nothing undefined passed over, numbers alike."""

import jinja2

from viewfinder.wording import counted


def environment_of(package: str) -> jinja2.Environment:
    """The templates in the folder `templates` of a package, with the colours and filters that pages
    share."""
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(package), jinja2.PackageLoader("viewfinder.evaluation")]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda share: "–" if share is None else f"{share:.1%}"
    environment.filters["figure"] = lambda value: "–" if value is None else f"{value:.3f}"
    environment.filters["counted"] = counted
    environment.filters["count"] = lambda number: f"{number:,}"
    return environment

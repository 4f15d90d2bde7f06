"""What tests of `explain` stand on."""

import pytest

from viewfinder.explain import diagnosis


@pytest.fixture(autouse=True)
def loud_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that fails is a bug here, and no unknown mistake."""
    monkeypatch.setattr(diagnosis, "SUPPRESSED", ())

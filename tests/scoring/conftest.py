"""Comparisons in tests draw few pictures; of what many draws are for, `sampling` is asked."""

import pytest

from viewfinder.evaluation.sampling import same_shares

_DRAWS = 400


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    monkeypatch.setattr("viewfinder.evaluation.sampling.DRAWS", _DRAWS)
    monkeypatch.setattr("viewfinder.scoring.box_contest._DRAWS", _DRAWS)
    same_shares.cache_clear()
    yield
    same_shares.cache_clear()

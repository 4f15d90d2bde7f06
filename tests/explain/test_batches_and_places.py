"""What one batch hides: squeezes of a batch of 1, places joined with the batch, softmax over it."""

from torch import nn
from torch.nn import functional as F

from viewfinder import explain


class Squeezed(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool, self.last = nn.AdaptiveAvgPool2d(1), nn.Linear(3, 5)

    def forward(self, x):
        return self.last(self.pool(x).squeeze())


class Places(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 5)

    def forward(self, x):
        return self.last(x.permute(0, 2, 3, 1).reshape(-1, 3))


class OverBatch(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3 * 8 * 8, 10)

    def forward(self, x):
        return F.softmax(self.last(x.reshape(25, -1)), dim=0)


def test_a_squeeze_that_takes_a_batch_of_one_away_is_a_mistake_with_any_batch():
    for batch in (1, 2, 7):
        found = explain(Squeezed(), (batch, 3, 8, 8)).mistake
        assert "3 for a batch of 1, and 2×3 for one of 2" in found.rule
        assert any(".flatten(1)" in fix for fix in found.fixes)


def test_answers_of_places_are_told():
    (warning,) = explain(Places(), (6, 3, 8, 8)).warnings
    assert "384 answers come out for a batch of 6, 64 for each item" in warning


def test_a_fix_that_leaves_a_softmax_over_the_batch_says_so_and_none_is_undone_by_the_next():
    for batch in (1, 25):
        fixes = explain(OverBatch(), (batch, 3, 8, 8)).mistake.fixes
        assert all("softmax is then taken over the batch: dim=1" in fix for fix in fixes)
        assert all(fix.count("instead of x.reshape(25") <= 1 for fix in fixes)


def test_a_norm_changes_places_only_with_a_layer_that_gives_what_it_was_made_for():
    wrong = nn.Sequential(nn.Conv2d(3, 32, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 9, 3))
    fixes = explain(wrong, (2, 3, 16, 16)).mistake.fixes
    assert fixes
    assert not any("behind its layer" in fix for fix in fixes)
    right = nn.Sequential(nn.Conv2d(3, 32, 3), nn.BatchNorm2d(64), nn.Conv2d(32, 64, 3))
    fixes = explain(right, (2, 3, 16, 16)).mistake.fixes
    assert any("the norm behind its layer; then the whole net runs" in fix for fix in fixes)


def test_an_adaptive_pooling_is_offered_the_size_that_the_last_layer_was_made_for():
    net = nn.Sequential(nn.AdaptiveAvgPool2d((6, 6)), nn.Flatten(), nn.Linear(8 * 7 * 7, 10))
    fixes = explain(net, (1, 8, 30, 30)).mistake.fixes
    assert "[0] = nn.AdaptiveAvgPool2d(7); then the whole net runs" in "\n".join(fixes)

"""Maps find their masks, whatever their method adds to the names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewfinder.errors import InputError
from viewfinder.scoring.pairing import pair

MASKS = [f"GT/{n:04d}.png" for n in range(1, 13)]


@pytest.mark.parametrize(
    ("form", "added"),
    [
        ("{}.png", "NAME"),
        ("{}_sal.png", "NAME_sal"),
        ("1-{}-map.jpg", "1-NAME-map"),
        ("sub/deeper/{}.PNG", "NAME"),
        ("mine_{}.png", "mine_NAME"),
    ],
)
def test_before_and_behind(form, added):
    answers = [form.format(f"{n:04d}") for n in range(1, 13)]
    paired = pair(MASKS, answers, where="maps")
    assert str(paired.added) == added
    assert [paired.answers[mask] for mask in MASKS] == answers
    assert not paired.missing
    assert not paired.surplus


def test_masks_may_have_an_ending_of_their_own():
    masks = [f"{n}_gt.png" for n in range(1, 13)]
    paired = pair(masks, [f"{n}.png" for n in range(1, 13)], where="maps")
    assert paired.answers["11_gt.png"] == "11.png"
    assert len(paired.answers) == 12


def test_short_names_within_longer_ones():
    masks = [f"{n}.png" for n in range(1, 121)]
    paired = pair(masks, [f"{n}_s.png" for n in range(1, 121)], where="maps")
    assert all(paired.answers[f"{n}.png"] == f"{n}_s.png" for n in range(1, 121))


def test_missing_and_surplus_are_listed():
    paired = pair(MASKS, ["0001_s.png", "0002_s.png", "0003_s.png", "99_s.png"], where="maps")
    assert len(paired.missing) == 9
    assert paired.surplus == ("99_s.png",)


def test_the_plain_name_wins_over_a_second_kind_of_map():
    answers = [f"{n:04d}{end}.png" for n in range(1, 13) for end in ("", "_edge")]
    paired = pair(MASKS, answers, where="maps")
    assert paired.answers["GT/0003.png"] == "0003.png"
    assert len(paired.surplus) == 12


def test_two_kinds_of_maps_are_refused():
    answers = [f"{n:04d}{end}.png" for n in range(1, 13) for end in ("_sal", "_edge")]
    with pytest.raises(InputError, match=r"several maps of each picture, such as .*_(sal|edge)"):
        pair(MASKS, answers, where="maps")


def test_nothing_in_common():
    with pytest.raises(InputError, match="no map of maps is named like a mask"):
        pair(MASKS, ["a.png", "b.png"], where="maps")


def test_two_of_one_name():
    with pytest.raises(InputError, match="the same name"):
        pair(MASKS, ["0001.png", "0001.jpg"], where="maps")


NAMES = st.lists(st.text("ab0123456789_-é", min_size=1, max_size=8), min_size=5, unique=True)


@given(NAMES, st.sampled_from(["", "x-", "map_"]), st.sampled_from(["", "_sal", ".out"]))
def test_any_names(names, before, behind):
    """Every answer belongs to the mask it was made for, or to none; never to another."""
    masks = [f"{name}.png" for name in names]
    answers = [f"{before}{name}{behind}.png" for name in names]
    try:
        paired = pair(masks, answers, where="maps")
    except InputError:
        return
    if str(paired.added) == f"{before}NAME{behind}":
        assert paired.answers == dict(zip(masks, answers, strict=True))

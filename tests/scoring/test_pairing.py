"""Maps find their masks, whatever their method adds to the names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewfinder.errors import InputError
from viewfinder.scoring.name_fitting import Added
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
    assert " and ".join(map(str, paired.ways)) == added
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
    with pytest.raises(InputError, match=r"several maps of each mask, such as .*_(sal|edge)"):
        pair(MASKS, answers, where="maps")


@pytest.mark.parametrize(
    ("masks", "maps"),
    [("{}.png", "{:04d}.png"), ("{:04d}.png", "{}.png"), ("{:03d}_gt.png", "a_{}_sal.png")],
)
def test_numbers_with_and_without_zeros_before_them(masks, maps):
    numbers = range(0, 130, 6)
    paired = pair([masks.format(n) for n in numbers], [maps.format(n) for n in numbers], where="m")
    assert paired.answers == {masks.format(n): maps.format(n) for n in numbers}
    (line,) = (line for line in paired.notes("x", "map", "mask") if "zeros" in line)
    told = "x: numbers in names of maps are taken without the zeros before them: "
    assert line == f"{told}{maps.format(0)} for {masks.format(0)}"


def test_zeros_that_tell_two_names_apart_are_none_to_leave_out():
    with pytest.raises(InputError, match="no map of maps is named like a mask"):
        pair(["1.png", "01.png", "2.png", "02.png"], ["001.png", "002.png"], where="maps")


def test_two_ways_of_naming_for_different_masks_are_both_taken():
    maps = [f"{n:04d}{'_sal' if n % 2 else ''}.png" for n in range(1, 13)]
    paired = pair(MASKS, maps, where="maps")
    assert [paired.answers[mask] for mask in MASKS] == maps
    assert paired.notes("x", "map", "mask") == [
        "x: maps are named NAME and NAME_sal for the mask NAME"
    ]
    maps = [f"{n:04d}_{'sal' if n % 3 else 'map'}.png" for n in range(1, 13)]
    paired = pair(MASKS, maps, where="maps")
    assert [paired.answers[mask] for mask in MASKS] == maps


def test_no_number_is_cut_in_two_and_one_name_alone_tells_nothing():
    masks = [f"{n}.png" for n in range(20)]
    paired = pair(masks, [f"{n}.png" for n in range(2, 22)], where="maps")
    assert (paired.missing, paired.surplus) == (("0.png", "1.png"), ("20.png", "21.png"))
    with pytest.raises(InputError, match="no map of maps is named like a mask"):
        pair(masks, [f"{n}_{n + 1}.png" for n in range(20)], where="maps")


@pytest.mark.parametrize(
    ("masks", "maps", "told"),
    [
        ("p{:03d}.png", "{:03d}.png", "NAME for the mask pNAME"),
        ("p{:03d}.png", "out_{:03d}_x2.png", "out_NAME_x2 for the mask pNAME"),
        ("ILSVRC2012_test_{:08d}.png", "{}.png", "NAME for the mask ILSVRC2012_test_NAME"),
        ("{:02d}b.png", "a{:02d}.png", "aNAME for the mask NAMEb"),
    ],
)
def test_what_masks_have_before_and_behind(masks, maps, told):
    numbers = range(22)
    paired = pair([masks.format(n) for n in numbers], [maps.format(n) for n in numbers], where="m")
    assert paired.answers == {masks.format(n): maps.format(n) for n in numbers}
    assert f"x: maps are named {told}" in paired.notes("x", "map", "mask")


def test_letters_that_words_share_are_no_name_of_their_own():
    with pytest.raises(InputError, match="no map of maps is named like a mask"):
        pair(["cat.png", "car.png"], ["t.png", "r.png"], where="maps")


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
    if paired.ways == (Added(before, behind),):
        assert paired.answers == dict(zip(masks, answers, strict=True))

"""Names in narrow tables end no line within a word, and each can still be told from the others."""

from hypothesis import given
from hypothesis import strategies as st

from viewfinder.cli.names import broken, broken_apart, say_legend, width_left

NAMES = st.text("abcXYZ019-_/. ", min_size=1, max_size=70)


def test_a_name_is_broken_between_its_words():
    name = "saliency-resnet18_lr0.001/VisualSaliencyTransformer"
    assert broken(name, 20) == "saliency-resnet18_\nlr0.001/Visual\nSaliencyTransformer"
    assert broken("u2net", 20) == "u2net"


def test_of_a_word_that_is_too_long_the_middle_is_left_out(capsys):
    names = ["a" * 30 + "b", "c" * 30 + "-d"]
    shown = broken_apart(names, 16)
    assert shown == ["aaaaaaaa…aaaaaab", "cccccccc…cccccc-\nd"]
    say_legend([*names, "plain-name"], [*shown, "plain-\nname"])
    assert capsys.readouterr().out.splitlines() == [
        f"  aaaaaaaa…aaaaaab: {names[0]}",
        f"  cccccccc…cccccc- d: {names[1]}",
    ]


@given(NAMES, st.integers(5, 30))
def test_no_line_is_wider_and_nothing_else_is_lost(name, width):
    shown = broken(name, width)
    assert all(len(line) <= width for line in shown.split("\n"))
    if "…" not in shown:
        assert "".join(shown.split()) == "".join(name.split())


def test_names_that_would_look_alike_are_numbered():
    alike = ["a" * 20 + middle + "a" * 20 for middle in "xyz"]
    assert len(set(broken_apart(alike, 16))) == 3


def test_names_have_what_other_columns_leave():
    assert width_left(80, [["MAE ↓", "0.1"], ["F", "0.123\n0.1–0.2"]]) == 80 - 7 - 9
    assert width_left(40, [["x" * 40]]) == 12

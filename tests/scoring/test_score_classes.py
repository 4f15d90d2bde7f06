"""`viewfinder score` of classes: tables found by the names of their columns, and what is odd."""

import math
from pathlib import Path

import numpy as np
import pytest

from viewfinder.cli.main import main
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_picture
from viewfinder.scoring.class_columns import class_columns
from viewfinder.scoring.comparing import compare
from viewfinder.scoring.csv_table import read_table
from viewfinder.scoring.reading import asked, contests

CLASSES = ("cat", "dog", "owl")


@pytest.fixture
def photos(tmp_path):
    for k, name in enumerate(CLASSES):
        for number in range(4 + k):
            write_picture(
                tmp_path / f"set/{name}/{number}.png", np.full((8, 8, 3), 9 * k, np.uint8)
            )
    return tmp_path


def table(root, name, text):
    (root / f"{name}.csv").write_text(text, encoding="utf-8")
    return f"{name}={root}/{name}.csv"


def right(photos, name, wrong=()):
    """A table that has all right but some."""
    rows = ["picture,class"]
    for k, own in enumerate(CLASSES):
        for number in range(4 + k):
            path = f"{own}/{number}.png"
            rows.append(f"{path},{CLASSES[(k + 1) % 3] if path in wrong else own}")
    return table(photos, name, "\n".join(rows) + "\n")


def scored(photos, *methods):
    (only,) = compare(contests(asked(photos / "set", methods, []))).sets
    return only


def test_scores_by_hand(photos):
    only = scored(photos, right(photos, "a", wrong=("cat/0.png", "owl/1.png", "owl/2.png")))
    values = {key: value.value for key, value in only.methods[0].values.items()}
    assert values["accuracy"] == pytest.approx(12 / 15)
    assert values["balanced_accuracy"] == pytest.approx((3 / 4 + 1 + 4 / 6) / 3, abs=1e-6)
    # cat: 3 of 4 and 5 said; dog: 5 of 5 and 6 said; owl: 4 of 6 and 4 said.
    assert values["f1"] == pytest.approx((6 / 9 + 10 / 11 + 8 / 10) / 3, abs=1e-6)
    assert values["recall:owl"] == pytest.approx(4 / 6, abs=1e-6)
    assert "log_loss" not in values


def test_columns_are_found_by_their_names(photos):
    lines = ["Filename;prob_dog;note;prob_cat;prob_owl"]
    for k, own in enumerate(CLASSES):
        for number in range(4 + k):
            probabilities = {name: 0.7 if name == own else 0.15 for name in CLASSES}
            ordered = ";".join(str(probabilities[name]) for name in ("dog",))
            rest = f"{probabilities['cat']};{probabilities['owl']}"
            lines.append(f"C:\\sets\\{own}\\{number}.png;{ordered};x;{rest}")
    only = scored(photos, table(photos, "a", "\n".join(lines)))
    values = only.methods[0].values
    assert values["accuracy"].value == 1
    assert values["log_loss"].value == pytest.approx(-math.log(0.7))
    assert only.methods[0].curves.keys() == {"coverage", "sure"}


def test_nothing_odd_is_dropped_in_silence(photos):
    text = right(photos, "b").partition("=")[2]
    rows = Path(text).read_text(encoding="utf-8").splitlines()
    rows = [row for row in rows if not row.startswith("dog/4")]
    rows += ["cat/0.png,cat", "cat/1.png,dog", "nowhere/7.png,cat"]
    rows = [row.replace("owl/0.png,owl", "owl/0.png,bat") for row in rows]
    only = scored(photos, table(photos, "a", "\n".join(rows)), right(photos, "b"))
    notes = "\n".join(only.notes)
    assert "a: 1 answer of no picture of the set, left out: nowhere/7.png" in notes
    assert "a: 1 picture answered twice alike: cat/0.png" in notes
    assert "answered twice and not alike, taken for no answer: cat/1.png" in notes
    assert "a: no answer to 2 pictures: cat/1.png, dog/4.png" in notes
    assert "a: 1 answer of classes that the set does not have, wrong: bat" in notes
    assert "all are scored on the 13 pictures of 15 that all answered: a lacks 2" in notes
    assert only.methods[0].values["accuracy"].value == pytest.approx(12 / 13)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("picture,colour\ncat/0.png,red\n", "no column of classes: call it class"),
        ("thing,class\ncat/0.png,cat\n", "no column of pictures: call it picture"),
        ("picture,class\n", "no answers"),
        ("picture,class,score\ncat/0.png,cat,high\n", "is 'high', no number"),
        ("picture;class;score\ncat/0.png;cat;0,75\n", "is '0,75', no number: write 0.75"),
        ("picture,class,score\ncat/0.png,cat,93%\n", "is '93%', no number: write 0.93"),
        ("picture,class\ncat/0.png,\ncat/1.png,\n", "class is empty in every row"),
        ("picture,class\ncat/0.png,cat,4\n", "more cells"),
        ("picture,class\nx/y.png,cat\n", "no name of"),
        ("picture,pred,Pred\ncat/0.png,cat,dog\n", "two columns pred"),
        ("picture,class\r\n\r\ncat/0.png,cat,4\r\n", "line 3: more cells"),
        ("picture,class\rx/y.png,cat\r", "no name of"),
        (
            "cat/0.png,cat\ncat/1.png,dog\n",
            "no row of names: its first line is cat/0.png, cat; wri",
        ),
        ("0,1\n1,2\n", "no row of names"),
    ],
)
def test_what_cannot_be_read_is_said(photos, text, said):
    with pytest.raises(InputError, match=said):
        scored(photos, table(photos, "a", text))


def test_rows_without_a_class_are_no_answers(photos):
    text = Path(right(photos, "b").partition("=")[2]).read_text(encoding="utf-8")
    text = text.replace("dog/4.png,dog", "dog/4.png,")
    only = scored(photos, table(photos, "a", text), right(photos, "b"))
    assert "a: 1 row without a class, taken for no answer: dog/4.png" in only.notes
    assert "a: no answer to 1 picture: dog/4.png" in only.notes
    assert len(only.common) == 14
    assert "a and b have the same answers" in "\n".join(only.notes)
    text = text.replace("picture,class", "picture,class,cat,dog,owl")
    text = text.replace(",cat\n", ",cat,1,0,0\n").replace(",dog\n", ",dog,0,1,0\n")
    text = text.replace(",owl\n", ",owl,0,0,1\n").replace("dog/4.png,\n", "dog/4.png,,0,1,0\n")
    only = scored(photos, table(photos, "a", text))
    assert (len(only.common), only.methods[0].values["accuracy"].value) == (15, 1)


def test_a_class_column_that_is_the_truth_throughout_is_said(photos, monkeypatch):
    monkeypatch.setattr("viewfinder.scoring.class_tables._MANY", 15)
    notes = "\n".join(scored(photos, right(photos, "a")).notes)
    assert "a: class is the truth itself in every row" in notes
    notes = "\n".join(scored(photos, right(photos, "a", wrong=("cat/0.png",))).notes)
    assert "truth itself" not in notes


def test_columns_beside_the_answers_are_said_once(photos):
    text = Path(right(photos, "b").partition("=")[2]).read_text(encoding="utf-8")
    rows = [f"{row},cat,9" for row in text.splitlines()[1:]]
    only = scored(photos, table(photos, "a", "\n".join(["picture,pred,label,fold", *rows])))
    (note,) = (each for each in only.notes if "label" in each)
    assert note == "a: the answers are the column pred; columns that are not looked at: label, fold"
    assert only.methods[0].values["accuracy"].value == 1


def test_numbers_of_classes_are_told(photos):
    rows = Path(right(photos, "b").partition("=")[2]).read_text(encoding="utf-8")
    for k, name in enumerate(CLASSES):
        rows = rows.replace(f",{name}", f",{k}")
    only = scored(photos, table(photos, "a", rows))
    assert only.methods[0].values["accuracy"].value == 1
    assert any("0 for cat" in note for note in only.notes)


def test_the_page_of_classes(photos, capsys, tmp_path):
    wrong = tuple(f"owl/{k}.png" for k in range(6)) + tuple(f"dog/{k}.png" for k in range(5))
    out = tmp_path / "out"
    command = ["score", str(photos / "set"), right(photos, "good"), right(photos, "bad", wrong)]
    assert main([*command, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "Accuracy: 1 of 1 pair differs by more than chance" in printed
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "✓ owl" in page
    assert "✗ cat" in page
    csv = (out / "pictures.csv").read_text(encoding="utf-8")
    assert csv.startswith("set,method,picture,class,answer,right,score\n")


def test_a_run_in_the_place_of_answers(photos, small_run, tmp_path, capsys):
    """Its classes are others: every answer is wrong, and that is said."""
    assert main(["score", str(photos / "set"), f"run={small_run}", right(photos, "b")]) == 0
    printed = capsys.readouterr().out
    printed = " ".join(printed.split())
    assert "knows none of the set's classes (cat, dog, owl): it knows" in printed
    assert "so that every answer is wrong, and there is no log loss" in printed
    assert "0 or 1" not in printed


@pytest.mark.parametrize("written", ["{}", "{}.0"])
@pytest.mark.parametrize("first", [0, 1])
def test_numbers_of_classes_count_from_0_or_1(photos, first, written):
    rows = Path(right(photos, "b").partition("=")[2]).read_text(encoding="utf-8")
    for k, name in enumerate(CLASSES):
        rows = rows.replace(f",{name}", f",{written.format(first + k)}")
    only = scored(photos, table(photos, "a", rows))
    assert only.methods[0].values["accuracy"].value == 1
    assert any(f"classes are numbers, {first} for cat" in note for note in only.notes)


def test_names_are_the_same_however_their_letters_are_composed(tmp_path):
    """As macOS writes them apart, of folders and of columns."""
    for name in ("caf\u0065\u0301", "dog"):
        write_picture(tmp_path / f"set/{name}/{name[0]}.png", np.zeros((8, 8, 3), np.uint8))
    text = "picture,caf\u00e9,dog\nc.png,0.9,0.1\nd.png,0.1,0.9\n"
    only = scored(tmp_path, table(tmp_path, "a", text))
    assert only.methods[0].values["log_loss"].value == pytest.approx(-math.log(0.9))
    assert only.notes == ()
    only = scored(tmp_path, table(tmp_path, "a", "picture,class\nc.png,caf\u00e9\nd.png,dog\n"))
    assert only.methods[0].values["accuracy"].value == 1
    assert only.notes == ()


def test_f1_says_over_which_classes_it_is_a_mean(tmp_path, capsys):
    """Here the test pictures are all cats, and a method answers dog too."""
    for place in (*(f"train/{n}/9" for n in CLASSES), *(f"test/cat/{k}" for k in range(4))):
        write_picture(tmp_path / f"set/{place}.png", np.zeros((8, 8, 3), np.uint8))
    rows = ["picture,class", "cat/0.png,cat", "cat/1.png,cat", "cat/2.png,cat", "cat/3.png,dog"]
    one = table(tmp_path, "a", "\n".join(rows) + "\n")
    out = tmp_path / "out"
    assert main(["score", str(tmp_path / "set"), one, "--out", str(out)]) == 0
    said = "a: F1 is the mean over 2 classes, as it answers dog, of which there is no picture"
    assert said in " ".join(capsys.readouterr().out.split())
    page = (out / "report.html").read_text(encoding="utf-8")
    assert said in page
    assert "mean over classes that have pictures, or are answered, of their F1" in page


@pytest.mark.parametrize("truth", ["label", "class", "Category"])
@pytest.mark.parametrize("answer", ["prediction", "predicted", "y_pred", "Pred_Label"])
def test_the_truth_beside_a_prediction_is_not_the_answer(photos, truth, answer):
    rows = [f"picture,{truth},{answer}"]
    for k, own in enumerate(CLASSES):
        rows += [f"{own}/{number}.png,{own},cat" for number in range(4 + k)]
    only = scored(photos, table(photos, "a", "\n".join(rows) + "\n"))
    assert only.methods[0].values["accuracy"].value == pytest.approx(4 / 15)
    told = f"the answers are the column {answer}; columns that are not looked at: {truth}"
    assert any(told in note for note in only.notes)


def test_of_two_columns_that_may_both_be_the_answer_neither_is_taken(photos):
    rows = ["picture,class,label"]
    for k, own in enumerate(CLASSES):
        rows += [f"{own}/{number}.png,{own},cat" for number in range(4 + k)]
    with pytest.raises(InputError, match="has class and label, of which either"):
        scored(photos, table(photos, "a", "\n".join(rows) + "\n"))


def probabilities_beside(photos, head, said):
    """A table with a column of classes beside probabilities that have all right but cat/0.png."""
    rows = [f"picture,{head},cat,dog,owl"]
    for k, own in enumerate(CLASSES):
        for number in range(4 + k):
            best = "dog" if (own, number) == ("cat", 0) else own
            likely = ",".join("0.8" if name == best else "0.1" for name in CLASSES)
            rows.append(f"{own}/{number}.png,{said(own, best)},{likely}")
    return scored(photos, table(photos, "a", "\n".join(rows) + "\n"))


def test_a_class_beside_probabilities_is_the_truth_where_it_differs(photos):
    only = probabilities_beside(photos, "label", lambda own, best: own)
    assert only.methods[0].values["accuracy"].value == pytest.approx(14 / 15)
    assert any("label beside them, which differs for 1 picture" in note for note in only.notes)
    only = probabilities_beside(photos, "class", lambda own, best: best)
    assert not any("beside them" in note for note in only.notes)
    only = probabilities_beside(photos, "prediction", lambda own, best: "cat")
    assert only.methods[0].values["accuracy"].value == pytest.approx(4 / 15)
    assert any("prediction is another class than the likeliest" in note for note in only.notes)


@pytest.mark.parametrize("other", ["guess", "model_output", "top1"])
def test_another_column_of_classes_may_be_the_answer(photos, other):
    rows = [f"picture,label,{other},seconds"]
    for k, own in enumerate(CLASSES):
        rows += [f"{own}/{number}.png,{own},cat,0.1" for number in range(4 + k)]
    with pytest.raises(InputError, match=f"has label and {other}, of which either"):
        scored(photos, table(photos, "a", "\n".join(rows) + "\n"))


@pytest.mark.parametrize(
    "beside", ["logit_cat,logit_dog,logit_owl", "0,1,2", "argmax", "cat_score,dog_score", "correct"]
)
def test_the_truth_itself_beside_anything_else_is_no_answer(photos, beside):
    rows = [f"picture,label,{beside}"]
    for k, own in enumerate(CLASSES):
        for number in range(4 + k):
            rows.append(f"{own}/{number}.png,{own}" + ",0.2" * (beside.count(",") + 1))
    with pytest.raises(InputError, match=r"label is the truth itself in every row, and .* beside"):
        scored(photos, table(photos, "a", "\n".join(rows)))
    # By itself, or beside a counter of rows, it may be what a method answers.
    rows = [",".join(row.split(",")[:2]) for row in rows]
    assert (
        scored(photos, table(photos, "a", "\n".join(rows))).methods[0].values["accuracy"].value == 1
    )
    rows = [f"{number},{row}" for number, row in enumerate(rows)]
    rows[0] = ",picture,label"
    assert (
        scored(photos, table(photos, "a", "\n".join(rows))).methods[0].values["accuracy"].value == 1
    )


def test_a_class_of_no_picture_with_a_column_of_its_own_is_a_wrong_answer(photos):
    rows = ["picture,cat,dog,owl,yak,note"]
    for k, own in enumerate(CLASSES):
        for number in range(4 + k):
            sure = [0.1, 0.1, 0.1]
            sure[k] = 0.2
            rows.append(f"{own}/{number}.png,{','.join(map(str, sure))},0.6,")
    rows = [row.rpartition(",")[0] for row in rows]
    only = scored(photos, table(photos, "a", "\n".join(rows)))
    assert only.methods[0].values["accuracy"].value == 0
    assert any("does not have yak: wrong as an answer" in note for note in only.notes)


def test_a_class_that_is_neither_the_truth_nor_the_likeliest_is_refused(photos):
    rows = ["picture,class,cat,dog,owl"]
    for k, own in enumerate(CLASSES):
        for number in range(4 + k):
            sure = [0.1, 0.1, 0.1]
            sure[k] = 0.8
            rows.append(f"{own}/{number}.png,dog,{','.join(map(str, sure))}")
    with pytest.raises(InputError, match="class is neither the truth nor the likeliest class"):
        scored(photos, table(photos, "a", "\n".join(rows)))


def test_a_row_for_each_class_of_a_picture(photos):
    """As the same in columns: sure of the own class, of an owl nearly so, and of no bat at all."""
    order = ("owl", "CAT", "dog")
    rows, wide = ["image,label,score"], ["image,owl,cat,dog"]
    for k, own in enumerate(CLASSES):
        for number in range(4 + k):
            sure = [0.2 + 0.4 * (name.lower() == own) for name in order]
            rows += [
                f"{own}/{number}.png,{name},{p:g}" for name, p in zip(order, sure, strict=True)
            ]
            wide.append(",".join([f"{own}/{number}.png", *(f"{p:g}" for p in sure)]))
    long, plain = table(photos, "long", "\n".join(rows)), table(photos, "wide", "\n".join(wide))
    only = scored(photos, long, plain)
    a, b = (own.values for own in only.methods)
    assert a["log_loss"].value == pytest.approx(-math.log(0.6))
    assert {key: own.value for key, own in a.items()} == {key: own.value for key, own in b.items()}
    assert any(note.startswith("long: it has a row for each class") for note in only.notes)


def test_a_row_for_each_of_the_likeliest_classes(photos):
    """Two of them alone, one of which the set does not have, and is the surer of one picture."""
    rows = ["picture,class,score"]
    for k, own in enumerate(CLASSES):
        for number in range(4 + k):
            doubt = 0.9 if (own, number) == ("cat", 0) else 0.1
            rows += [f"{own}/{number}.png,bat,{doubt}", f"{own}/{number}.png,{own},{1 - doubt:g}"]
    only = scored(photos, table(photos, "a", "\n".join(rows)))
    assert only.methods[0].values["accuracy"].value == pytest.approx(14 / 15)
    assert "bat" in "\n".join(only.notes)


def test_numbers_of_classes_in_rows_are_no_probabilities(photos):
    rows = ["picture,class,score"]
    for k, own in enumerate(CLASSES):
        for number in range(4 + k):
            rows += [f"{own}/{number}.png,{n},{0.8 if n == k else 0.1}" for n in range(3)]
    values = scored(photos, table(photos, "a", "\n".join(rows))).methods[0].values
    assert values["accuracy"].value == 1
    assert "log_loss" not in values


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_tables_as_spreadsheets_write_unicode(photos, encoding):
    file = Path(right(photos, "a").partition("=")[2])
    text = file.read_text(encoding="utf-8").replace(",", "\t")
    file.write_text(text, encoding=encoding)
    assert scored(photos, f"a={file}").methods[0].values["accuracy"].value == 1
    file.write_bytes(b"picture,class,maker\ncat/0.png,cat,M\xfcller\n")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        scored(photos, f"a={file}")


def test_a_misspelt_class_is_told_by_the_one_that_is_meant(photos):
    file = Path(right(photos, "a").partition("=")[2])
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(",owl", ",owls"), encoding="utf-8")
    notes = "\n".join(scored(photos, f"a={file}").notes)
    assert (
        "6 answers of classes that the set does not have, wrong: owls (did you mean owl?)" in notes
    )


def test_a_space_in_a_columns_name_is_an_underscore(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("Image Name,Predicted Class,Confidence\na.png,cat,0.5\n", encoding="utf-8")
    found = class_columns(read_table(file), ["cat", "dog"])
    assert (found.picture, found.label, found.score) == (0, 1, 2)

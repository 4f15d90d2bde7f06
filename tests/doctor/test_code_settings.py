"""The count of classes in Darknet's files and YAML beside the code, and folders without any."""

import pytest

from viewfinder.doctor.code.looking import look
from viewfinder.errors import InputError

CFG = """[net]
width=416
[convolutional]
filters={filters}
[yolo]
mask=0,1,2
anchors=1,2, 3,4, 5,6
num=3
classes={classes}
"""


@pytest.fixture
def project(tmp_path):
    """Files by name, with some code beside them; what is said of the folder."""

    def of(code="x = 1\n", **files):
        (tmp_path / "train.py").write_text(code)
        for name, text in files.items():
            (tmp_path / name.replace("__", ".")).write_text(text)
        looked = look([tmp_path])
        assert not looked.unread
        return [
            (each.level, each.place.file.rpartition("/")[2], each.place.line, each.instead)
            for each in looked.remarks
        ]

    return of


def test_filters_follow_from_the_classes(project):
    wrong = project(net__cfg=CFG.format(filters=255, classes=3))
    assert wrong == [("broken", "net.cfg", 4, "filters=24")]
    assert project(net__cfg=CFG.format(filters=24, classes=3)) == []


def test_names_that_no_net_has_the_count_of_are_named(project):
    ((level, file, line, instead),) = project(
        net__cfg=CFG.format(filters=24, classes=3), my__names="cat\ndog\n"
    )
    assert (level, file, line) == ("warning", "my.names", 1)
    assert instead.startswith("classes=2 ")
    assert "filters=21 " in instead


def test_the_data_file_and_the_names_that_it_leads_to(project):
    said = project(my__data="train = a.txt\nclasses = 3\nnames = data/my.names\n",
                   my__names="cat\ndog\n")  # fmt: skip
    assert said == [("warning", "my.data", 2, "classes=2")]


def test_yaml_that_counts_and_names(project):
    ((_, file, line, _),) = project(data__yaml="train: a\nnc: 3\nnames: [cat, dog]\n")
    assert (file, line) == ("data.yaml", 2)


def test_code_that_says_another_count_than_its_settings(project):
    ((_, file, line, instead),) = project(
        "num_classes = 80\n", net__cfg=CFG.format(filters=24, classes=3)
    )
    assert (file, line, instead) == ("train.py", 1, "# 3 here, or 80 there")


def test_code_that_says_the_same_count_is_told_of_all_places(tmp_path, project):
    project("num_classes = 3\n", net__cfg=CFG.format(filters=24, classes=3), a__names="a\nb\nc\n")
    (remark,) = look([tmp_path]).remarks
    assert {(p.file.rpartition("/")[2], p.line) for p in remark.others} == {
        *(("net.cfg", 9), ("net.cfg", 4), ("a.names", 1))
    }


def test_other_files_with_such_endings_are_passed_over(project):
    said = project(
        setup__cfg="[metadata]\nname = x\nlong text\n",
        iris__data="5.1,3.5,Iris-setosa\n",
        ci__yml="on: [push]\njobs: &a {}\n",
        voc__names="\n".join(map(str, range(20))),
        coco__names="\n".join(map(str, range(80))),
    )
    assert said == []


def test_a_folder_without_code_is_a_note_unless_none_has_any(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("x = 1\n")
    looked = look([tmp_path / "empty", tmp_path / "code"])
    assert looked.works
    assert looked.files == 1
    assert [name.rpartition("/")[2] for name in looked.empty] == ["empty"]
    with pytest.raises(InputError, match="no Python file"):
        look([tmp_path / "empty"])

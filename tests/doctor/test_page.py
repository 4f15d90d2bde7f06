"""The page in the terminal and the one to send: what they tell, in how much room."""

import json
import re
import sys
import time
from dataclasses import replace

import pytest
from made_up_machine import GIB, WHOLE, changed, network, speed

from viewfinder import nets
from viewfinder.cli.main import main
from viewfinder.doctor import gathering
from viewfinder.doctor.__main__ import main as without_flags
from viewfinder.doctor.about import about
from viewfinder.doctor.document import document
from viewfinder.doctor.estimate import PICTURES, epochs, likely, seconds
from viewfinder.doctor.machine import Gpu, InstalledPackage, PackagedWeights
from viewfinder.doctor.page import choice, in_figures, page
from viewfinder.doctor.report import write_report
from viewfinder.doctor.rules import RULES, findings
from viewfinder.doctor.workload import SAMPLES, Workload, training_memory
from viewfinder.errors import InputError
from viewfinder.files import write_json

NAME = "An accelerator with a name that is longer than anybody would think of giving one"
ODD = changed(
    weights=PackagedWeights(False, "a.safetensors is missing"),
    speed=None,
    system={"load": 99.0},
    nvidia={"gpus": (Gpu(NAME, 80 * GIB, None, None),) * 3},
)


def text_of(machine, width=80):
    return "\n".join(
        line.text for line in page(machine, findings(machine), epochs(machine), width=width)
    )


@pytest.mark.parametrize("machine", [WHOLE, ODD], ids=["whole", "odd"])
@pytest.mark.parametrize("width", [40, 80])
def test_a_page_fits(machine, width):
    told = text_of(machine, width).splitlines()
    # An address is whole, however long.
    assert max(len(line) for line in told if not line.startswith("  https://")) <= width
    assert {each.source for each in findings(machine) if each.level != "unknown"} <= {
        line.strip() for line in told
    }


def test_what_is_good_is_one_line():
    told = text_of(WHOLE)
    assert f"✓ {len(RULES)} of {len(RULES)} things looked at are as they should be\n" in told
    assert "✗" not in told
    assert "→" not in told


def test_what_is_not_good_is_told_in_full():
    told = " ".join(text_of(ODD).split())
    assert "✗ The weights that come along are not whole: a.safetensors is missing" in told
    assert "! The machine is busy" in told
    assert "? Not known:" in told
    assert told.index("✗") < told.index("! The machine") < told.index("? Not known")


def packages(*drifted):
    """What the page says of packages, of which some are not as they were tested."""
    others = [InstalledPackage(name, "1.0", "", None, (), "2.0", False) for name in drifted]
    installed = replace(WHOLE.installation, others=tuple(others))
    return dict(about(replace(WHOLE, installation=installed)))["packages"]


def test_versions_are_held_to_those_that_were_tested():
    assert packages() == "all 3 fit, and are of the versions that this was tested with"
    assert packages("onnx") == "all 3 fit; not as tested: onnx 1.0 in place of 2.0"
    many = packages("a", "b", "c", "d", "e", "numpy")
    assert many.startswith("all 3 fit; not as tested: numpy 1.0 in place of 2.0, a 1.0")
    assert many.endswith("c 1.0 in place of 2.0 and 2 more")
    assert (
        findings(changed(installation={"others": (InstalledPackage("onnx", "1", "", None),)})) == []
    )
    unheld = tuple(replace(p, tested="", as_tested=None) for p in WHOLE.installation.packages)
    told = dict(about(changed(installation={"packages": unheld})))["packages"]
    assert told == "all 3 fit; with which versions this was tested is not known"


def test_a_network_takes_what_its_parts_take():
    work = Workload("x", 32, 10**6, {SAMPLES[0].kind: 10**9}, 10**9, 10**9, 0)
    made = speed(updates=0.5)
    # Of the made-up rates: a product at 100, convolutions and the rest at 50, in 10⁹ a second.
    one = 3 / 50 + 3 / 100 + 1 / 50
    assert seconds(work, 8, made)["32", "contiguous"] == pytest.approx(PICTURES * (one + 0.002 / 8))
    assert set(seconds(work, 8, made)) == {
        (arithmetic, layout)
        for arithmetic in ("32", "bf16")
        for layout in ("contiguous", "channels_last")
    }
    assert seconds(work, 8, replace(made, rates=made.rates[:1])) == {}


def test_a_choice_needs_a_gain():
    plain, other = ("32", "contiguous"), ("bf16", "channels_last")
    assert likely({plain: 1.0, other: 0.97}) == plain
    assert likely({plain: 1.0, other: 0.9}) == other


def test_every_network_is_estimated_and_what_was_chosen_before_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path))
    first = epochs(WHOLE)
    assert {each.net for each in first} == set(nets.names())
    assert {(each.arithmetic, each.layout) for each in first} == {("bf16", "channels_last")}
    assert not any(each.remembered for each in first)
    taken = {"arithmetic": "32", "layout": "channels_last"}
    of = {
        "net": "resnet18",
        "torch": "2.15.0",
        "device": "CPU x86_64, 32 threads",
        "processor": {"name": WHOLE.cpu.name, "threads": WHOLE.cpu.threads},
    }
    write_json(tmp_path / "arithmetic/a.json", {"arrangement": taken, "of": of})
    write_json(tmp_path / "arithmetic/b.json", {"arrangement": taken, "of": {"net": "vgg16"}})
    (tmp_path / "arithmetic/c.json").write_text("{")
    other = {"arrangement": taken, "of": of | {"net": "lenet", "torch": "1.0"}}
    write_json(tmp_path / "arithmetic/d.json", other)
    second = {each.net: each for each in epochs(WHOLE)}
    assert (second["resnet18"].arithmetic, second["resnet18"].remembered) == ("32", True)
    assert [each.net for each in second.values() if each.remembered] == ["resnet18"]


def test_a_choice_says_when_there_was_no_time_for_all_that_are_compared(tmp_path, monkeypatch):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path))
    made = speed(device="cpu")
    known = [rate for rate in made.rates if rate.arithmetic == "32"]
    half = replace(WHOLE, speed=replace(made, rates=tuple(known)))
    assert {choice(each) for each in epochs(half)} == {"32 channels_last (2 of 4)"}
    assert {choice(each) for each in epochs(changed(half, cpu={"bf16": False}))} == {
        "32 channels_last"
    }
    assert {choice(each) for each in epochs(replace(WHOLE, speed=made))} == {"bf16 channels_last"}


def test_the_choice_that_a_training_keeps_is_one_that_is_read(tmp_path, monkeypatch):
    from viewfinder.doctor.chosen import chosen
    from viewfinder.tasks.measured import measured_file, remember
    from viewfinder.training.arrangement import Arrangement, Choice

    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path))
    depends = {
        "net": "lenet",
        "torch": "2.15.0+cu132",
        "device": "CPU x86_64, 16 threads",
        "processor": {"name": WHOLE.cpu.name, "threads": WHOLE.cpu.threads},
    }
    choice = Choice(Arrangement("bf16", "contiguous"), "because")
    remember(measured_file(depends), choice.as_json(), depends)
    assert chosen(WHOLE) == {"lenet": ("bf16", "contiguous")}


def test_memory_grows_with_the_batch():
    work = network("resnet18")
    one, two = training_memory(work, 1), training_memory(work, 65)
    assert one > 4 * 4 * work.parameters
    assert two - one == pytest.approx(64 * 1.2 * work.kept, rel=0.01)


@pytest.mark.parametrize(
    ("taken", "told"),
    [(0.0123, "0.012 s"), (7.26, "7.3 s"), (42.4, "42 s"), (200, "3.3 min"), (7200, "2.0 h")],
)
def test_times_are_told_in_two_figures(taken, told):
    assert in_figures(taken) == told


def test_the_page_to_send_is_whole_and_fetches_nothing(tmp_path):
    odd = replace(ODD, troubles=("<script>alert(1)</script>",), speed=speed(measured=time.time()))
    write_report(tmp_path / "d.html", odd, findings(odd), epochs(odd))
    told = (tmp_path / "d.html").read_text(encoding="utf-8")
    assert "<script" not in told
    assert "&lt;script&gt;" in told
    assert not re.findall(r"(?:src|href)=\"(?!https://)", told)
    assert "prefers-color-scheme: dark" in told
    assert "yolov3-spp" in told
    assert "a.safetensors is missing" in told


def test_what_kept_a_part_from_being_gathered_is_told_once(tmp_path):
    late = "networks: the time was up before 30 networks could be counted (lenet, alexnet …)"
    late_machine = replace(WHOLE, networks=None, troubles=(late, "disks: OSError: gone"))
    write_report(tmp_path / "d.html", late_machine, findings(late_machine), [])
    for told in (text_of(late_machine), (tmp_path / "d.html").read_text(encoding="utf-8")):
        assert len(re.findall(r"the\s+time\s+was\s+up", told)) == 1
        assert told.count("disks: OSError: gone") == 1


def test_a_report_is_html_in_a_place_that_can_be_written(tmp_path):
    with pytest.raises(InputError, match=r"name it .*d\.html"):
        write_report(tmp_path / "d.pdf", WHOLE, [], [])
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write"):
        write_report(tmp_path / "file" / "d.html", WHOLE, [], [])


def test_the_document_has_the_promised_keys():
    told = document(ODD, findings(ODD), epochs(WHOLE), seconds=1.0)
    assert list(told) == ["schema", "works", "findings", "machine", "speed", "epochs", "seconds"]
    assert told["works"] is False
    assert json.loads(json.dumps(told, allow_nan=False))["schema"] == "viewfinder.doctor/1"
    assert list(told["findings"][0]) == ["rule", "level", "says", "why", "fix", "source"]


@pytest.mark.parametrize(("machine", "status"), [(WHOLE, 0), (ODD, 1)])
def test_the_status_says_whether_all_works(monkeypatch, capsys, machine, status):
    asked = {}
    monkeypatch.setattr(gathering, "gather", lambda **how: asked.update(how) or machine)
    assert main(["doctor", "--again", "--network", "example.org"]) == status
    assert asked == {"quick": False, "host": "example.org", "again": True}
    plain = capsys.readouterr().out
    assert "\x1b" not in plain, "colours are for terminals"
    assert main(["doctor", "--json"]) == status
    assert json.loads(capsys.readouterr().out)["works"] is (status == 0)


def test_the_page_is_told_though_what_colours_it_or_reads_flags_is_broken(monkeypatch, capsys):
    monkeypatch.setattr(gathering, "gather", lambda **_: ODD)
    monkeypatch.setitem(sys.modules, "rich.text", None)
    assert main(["doctor"]) == 1
    plain = capsys.readouterr().out
    assert plain == text_of(ODD) + "\n"
    monkeypatch.setattr("viewfinder.doctor.__main__.gather", lambda **_: ODD)
    assert without_flags([]) == 1
    assert capsys.readouterr().out == plain
    monkeypatch.setitem(sys.modules, "viewfinder.evaluation.templating", None)
    assert main(["doctor", "--report", "x.html"]) == 2
    assert "--report needs jinja2" in capsys.readouterr().err


def test_a_wrong_host_or_report_is_one_line(capsys):
    assert main(["doctor", "--quick", "--network", "a b"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["doctor", "--quick", "--report", "x.pdf"]) == 2
    assert "error: --report x.pdf" in capsys.readouterr().err

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from viewfinder.interrupts import STOPS, late_answers_told, late_interrupts, stops_interrupt


def interrupt(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


def test_an_interrupt_waits_until_it_is_let_through():
    done = []

    def work() -> None:
        with late_interrupts() as let:
            let(lambda: done.append("too early"))
            interrupt()
            done.append("whole")
            let(lambda: done.append("saved"))
            done.append("too late")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole", "saved"]


def test_another_thread_that_receives_it_changes_nothing():
    done = []

    def work() -> None:
        with late_interrupts() as let:
            thread = threading.Thread(
                target=lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            )
            thread.start()
            thread.join()
            done.append("whole")
            let(lambda: done.append("saved"))

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole", "saved"]


def test_a_second_interrupt_does_not_wait(monkeypatch):
    monkeypatch.setattr("viewfinder.interrupts._AT_ONCE", 0.0)
    done = []

    def work() -> None:
        with late_interrupts():
            interrupt()
            done.append("first")
            interrupt()
            done.append("second")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["first"]


def test_what_comes_twice_at_once_is_one():
    """As `timeout` sends it, to the process and to its group."""
    done = []

    def work() -> None:
        with stops_interrupt():
            with late_interrupts() as let:
                interrupt()
                interrupt()
                done.append("whole")
                let(lambda: done.append("saved"))
            done.append("too late")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole", "saved"]

    def leave() -> None:
        with stops_interrupt():
            try:
                interrupt()
            finally:
                interrupt()
                done.append("left")

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert done[-1] == "left"


def test_one_that_waits_at_the_end_is_let_through_and_handlers_are_as_before():
    before = signal.getsignal(signal.SIGINT)
    done = []

    def work() -> None:
        with late_interrupts():
            interrupt()
            done.append("whole")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole"]
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_an_error_goes_before_an_interrupt():
    before = signal.getsignal(signal.SIGINT)

    def work() -> None:
        with late_interrupts():
            interrupt()
            raise ValueError("first")

    with pytest.raises(ValueError, match="first"):
        work()
    assert signal.getsignal(signal.SIGINT) is before


def test_each_signal_is_answered_as_it_was_before():
    told = []
    usual = signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
    try:
        with late_interrupts() as let:
            interrupt(signal.SIGTERM)
            assert told == []
            let(lambda: told.append("first"))
            let(lambda: told.append("again"))
        assert told == ["first", signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, usual)


def test_beside_the_main_thread_there_is_nothing_to_hold_back():
    failed = []

    def work() -> None:
        try:
            with late_interrupts() as let:
                let(lambda: failed.append("called"))
        except ValueError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert failed == []


@pytest.mark.parametrize("number", STOPS)
def test_every_request_to_stop_is_answered_as_ctrl_c_is(number):
    before = signal.getsignal(number)
    done = []

    def work() -> None:
        with stops_interrupt(), late_interrupts() as let:
            interrupt(number)
            done.append("whole")
            let(lambda: done.append("saved"))

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole", "saved"]
    assert signal.getsignal(number) is before


def test_what_is_ignored_stays_ignored_as_under_nohup():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stops_interrupt():
            interrupt(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_interrupt_within_an_executed_text_is_answered_as_any_other(tmp_path):
    """Libraries execute texts while they are imported; Python remembers an interrupt in one."""
    (tmp_path / "script.py").write_text(
        "from viewfinder.cli import main\n"
        "main._dispatch = lambda words: exec('raise KeyboardInterrupt')\n"
        "main.entry()\n"
    )
    # As `python -m viewfinder` runs: Python looks at what it remembers when a module has ended.
    command = [sys.executable, "-m", "script"]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 130


def test_an_interrupt_within_an_import_waits_for_its_end(tmp_path, monkeypatch):
    """What is written in C and imports more, as torch does, may forget or abort."""
    (tmp_path / "imported_slowly.py").write_text(
        "import os, signal, time\n"
        "def work():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(0.12)\n"
        "    os.environ['IMPORTED'] = 'whole'\n"
        "work()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("IMPORTED", "not")

    def work() -> None:
        with stops_interrupt():
            import imported_slowly

            assert imported_slowly
            time.sleep(10)

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        work()
    assert os.environ["IMPORTED"] == "whole"
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(("at_once", "imported"), [(0.0, "not"), (60.0, "whole")])
def test_a_second_interrupt_within_an_import_does_not_wait(
    tmp_path, monkeypatch, at_once, imported
):
    monkeypatch.setattr("viewfinder.interrupts._AT_ONCE", at_once)
    monkeypatch.delitem(sys.modules, "imported_never", raising=False)
    text = "import os, signal\n" + 2 * "os.kill(os.getpid(), signal.SIGINT)\n"
    (tmp_path / "imported_never.py").write_text(text + "os.environ['IMPORTED'] = 'whole'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("IMPORTED", "not")

    def work() -> None:
        with stops_interrupt():
            import imported_never

            assert imported_never

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        work()
    assert os.environ["IMPORTED"] == imported
    assert signal.getsignal(signal.SIGINT) is before


def test_what_waits_for_an_import_is_answered_at_the_end_at_the_latest(tmp_path, monkeypatch):
    text = "import os, signal\nos.kill(os.getpid(), signal.SIGHUP)\n"
    (tmp_path / "imported_last.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    done = []

    def work() -> None:
        with stops_interrupt():
            import imported_last

            done.append(imported_last)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert len(done) == 1


@pytest.mark.parametrize(("idle", "status"), [(True, 130), (False, 3)])
def test_what_an_idle_module_imports_is_left_at_once(tmp_path, idle, status):
    """It has begun nothing: an import of many seconds need not be waited for."""
    place = tmp_path / "verbs"
    place.mkdir()
    (place / "verb.py").write_text("def run():\n    import imported_by_verb\n")
    (tmp_path / "imported_by_verb.py").write_text("import imported_deeper\n")
    (tmp_path / "imported_deeper.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nos._exit(3)\n"
    )
    script = (
        "import sys; from pathlib import Path\n"
        "from viewfinder.interrupts import stops_interrupt\n"
        f"sys.path += {[str(tmp_path), str(place)]!r}\n"
        "import verb\n"
        f"idle = {f'Path({str(place)!r})' if idle else 'None'}\n"
        "with stops_interrupt(idle, lambda: print('stopped', flush=True)): verb.run()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, timeout=60, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (status, "stopped\n" if idle else "")


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="of systems with POSIX's signals")
def test_what_is_not_answered_at_once_is_told_to_be_known():
    told, before = threading.Event(), signal.set_wakeup_fd(-1)

    def work() -> None:
        with stops_interrupt(), late_answers_told(told.set), late_interrupts() as let:
            interrupt()
            assert told.wait(60)
            let(lambda: None)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert signal.set_wakeup_fd(before) == -1


def test_of_what_is_answered_at_once_nothing_is_told():
    told = threading.Event()

    def work() -> None:
        with stops_interrupt(), late_answers_told(told.set):
            interrupt()

    with pytest.raises(KeyboardInterrupt):
        work()
    assert not told.is_set()

"""Any operations in any order, sent again, undone and redone: undoing all gives the first bytes."""

import contextlib
import tempfile
from pathlib import Path

import brought
import numpy as np
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from viewfinder.errors import InputError
from viewfinder.labelling.proposals import Proposals
from viewfinder.studio.store import (
    Accept,
    LabelPicture,
    MergeClass,
    Operation,
    PutBox,
    PutClass,
    Reject,
    RemoveBox,
    RemoveClass,
    SetState,
    open_store,
)
from viewfinder.tasks.detect.detections import Detections

# Where nothing waits for a disk, as far as there is such a place.
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
PEOPLE, BOXES, CLASSES = ("ann", "ben"), ("b1", "b2", "b3"), ("k1", "k2", "k3")
PICTURES = (1, 2)
people = st.sampled_from(PEOPLE)
numbers = st.integers(0, 3)


class Labelling(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY)
        data = Path(self.folder.name)
        for number in PICTURES:
            brought.picture(data / f"{number}.jpg")
        self.store = open_store(data, wait=True)
        corners = np.array([(1, 1, 9, 9), (20, 2, 39, 19.5)], np.float64)
        zeros, sizes = np.zeros(2, np.int64), np.full((1, 2), (40, 20))
        boxes = Detections(corners, np.ones(2), zeros)
        found = Proposals(("1.jpg",), sizes, ("K",), zeros, boxes, ("a",) * 2)
        self.store.propose("a", found)
        self.first = self.store.contents()
        self.sent = []
        self.revisions = {}

    def _send(self, person, *changes):
        """Send it; what is refused must change nothing."""
        operation = Operation(f"o{len(self.sent)}", changes, person)
        before = self.store.contents()
        try:
            done = self.store.apply(operation)
        except InputError:
            assert self.store.contents() == before
            return
        assert not done.again
        self.sent.append((operation, done))
        self._seen(done)

    def _seen(self, done):
        for kind, records in done.revisions.items():
            for record, revision in records.items():
                assert revision > self.revisions.get((kind, record), 0)
                self.revisions[kind, record] = revision

    def _base(self, kind, record, usual=0):
        return self.revisions.get((kind, record), usual)

    @rule(person=people, box=st.sampled_from(BOXES), picture=st.sampled_from(PICTURES),
          label=st.sampled_from(CLASSES), x=numbers, late=st.booleans())  # fmt: skip
    def put_box(self, person, box, picture, label, x, late):
        base = max(0, self._base("box", box) - late)
        self._send(person, PutBox(box, picture, label, (x, 1.25, x + 7.1, 9), base))

    @rule(person=people, box=st.sampled_from(BOXES))
    def remove_box(self, person, box):
        self._send(person, RemoveBox(box, self._base("box", box)))

    @rule(person=people, label=st.sampled_from(CLASSES), name=st.sampled_from("KLM"), x=numbers)
    def put_class(self, person, label, name, x):
        self._send(person, PutClass(label, name, self._base("class", label), position=x))

    @rule(person=people, label=st.sampled_from(CLASSES), into=st.sampled_from(CLASSES))
    def merge_class(self, person, label, into):
        self._send(person, MergeClass(label, into, self._base("class", label)))

    @rule(person=people, label=st.sampled_from(CLASSES))
    def remove_class(self, person, label):
        self._send(person, RemoveClass(label, self._base("class", label)))

    @rule(person=people, picture=st.sampled_from(PICTURES), state=st.sampled_from(("done", "todo")),
          label=st.none() | st.sampled_from(CLASSES))  # fmt: skip
    def mark(self, person, picture, state, label):
        base = self._base("picture", str(picture), 1)
        self._send(person, SetState(picture, state, base), LabelPicture(picture, label, base + 1))

    @rule(person=people, which=st.integers(0, 1), accept=st.booleans(), box=st.sampled_from(BOXES))
    def decide(self, person, which, accept, box):
        one = self.store.picture(1).proposals[which]
        change = Accept(one.id, box, one.revision) if accept else Reject(one.id, one.revision)
        self._send(person, change)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_again(self, data):
        operation, done = data.draw(st.sampled_from(self.sent))
        before = self.store.contents()
        again = self.store.apply(operation)
        assert again.again
        assert again.seq == done.seq
        assert self.store.contents() == before

    @rule(person=people, back=st.booleans())
    def turn(self, person, back):
        turn = self.store.undo if back else self.store.redo
        with contextlib.suppress(InputError):
            self._seen(turn(f"t{len(self.store.history(count=1000))}", person))

    @rule(person=people, data=st.data())
    def restore(self, person, data):
        last = len(self.store.history(count=1000))
        seq = data.draw(st.integers(1, last))
        with contextlib.suppress(InputError):
            self._seen(self.store.restore(f"r{last}", seq, person))

    @invariant()
    def it_reads(self):
        self.store.classes()
        self.store.counts()
        self.store.snapshot()
        for number in PICTURES:
            self.store.picture(number)

    def teardown(self):
        if not hasattr(self, "store"):
            return
        try:
            left = sum(
                each.kind in ("edit", "restore") and not each.undone
                for each in self.store.history(count=1000)
            )
            for number in range(left):
                self.store.undo(f"end{number}", None)
            assert self.store.contents() == self.first
        finally:
            self.store.close()
            self.folder.cleanup()


def test_undoing_all_gives_the_first_state_whatever_was_done():
    run_state_machine_as_test(
        Labelling,
        settings=settings(max_examples=4, stateful_step_count=25, phases=(Phase.generate,)),
    )

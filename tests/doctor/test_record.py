"""What a run keeps of the machine."""

import json

from viewfinder.doctor.record import machine_record


def test_a_record_is_small_plain_and_of_this_machine():
    told = machine_record()
    assert json.loads(json.dumps(told)) == told
    assert len(json.dumps(told)) < 2000
    assert told["processor"]
    assert told["usable_threads"] >= 1
    assert told["memory"] is None or told["memory"] > 1 << 28

"""What was found in somebody's code, as it may be sent to a stranger who helps."""

from dataclasses import replace

from viewfinder.doctor.code.looking import CodeFindings
from viewfinder.doctor.code.remark import CodePlace, Remark
from viewfinder.doctor.privacy import Cleaner, cleaner


def without_user(looked: CodeFindings, by: Cleaner | None = None) -> CodeFindings:
    """The same without the user's home, name and secrets, in lines of source too."""
    by = by or cleaner()
    return replace(
        looked,
        remarks=tuple(_remark(each, by) for each in looked.remarks),
        unread=tuple(map(by.code, looked.unread)),
        empty=tuple(map(by.code, looked.empty)),
    )


def _remark(remark: Remark, by: Cleaner) -> Remark:
    return replace(
        remark,
        place=_place(remark.place, by),
        says=by.code(remark.says),
        why=by.code(remark.why),
        instead=by.code(remark.instead),
        others=tuple(_place(each, by) for each in remark.others),
    )


def _place(place: CodePlace, by: Cleaner) -> CodePlace:
    return replace(place, file=by.code(place.file), text=by.code(place.text))

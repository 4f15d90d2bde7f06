"""When the frames of a video are shown, and where it shows none for long."""

import av

_LONG = 0.25  # seconds without a frame that are worth a word,
_TIMES = 5.0  # times as long as it takes at most for nine of ten frames to follow
_USUAL = 0.9
_FEWEST = 10  # frames, of which it can be said what is usual


class Clock:
    """When frames are shown: by their times, and by their rate where these are none or go back.

    An .avi has no times that could say how frames were put in order; where two recordings were
    joined, those of the second begin anew.

    Attributes:
        seconds: when the latest frame is shown.
    """

    def __init__(self, stream: av.VideoStream) -> None:
        self.seconds = 0.0
        self._start = stream.start_time or 0
        self._step = 1 / float(stream.average_rate or stream.guessed_rate or 25)
        self._due = 0.0
        self._steps: list[float] = []
        self._late: list[tuple[float, float]] = []
        self._excused = False

    def read(self, frame: av.VideoFrame) -> float:
        """Seconds from the video's start at which a frame is shown, the frames read in order."""
        seconds = self._due
        if frame.pts is not None:
            stated = seconds_of(frame.pts - self._start, frame)
            if not self._steps or stated > self.seconds:
                seconds = stated
        if not self._excused:
            self._late.append((self._due, seconds - self._due))
        self._steps.append(seconds - self.seconds)
        self._excused = False
        self.seconds = seconds
        self._due = seconds + (seconds_of(frame.duration, frame) or self._step)
        return seconds

    def miss(self) -> float:
        """About when a frame would be shown that the decoder refuses; it is reported otherwise."""
        self._excused = True
        seconds, self._due = self._due, self._due + self._step
        return seconds

    def gaps(self, since: float, until: float) -> list[tuple[float, float]]:
        """Where no frame is shown for far longer than is usual: from when on, and for how long.

        A frame that the file itself says is shown for long leaves no gap.

        Args:
            since: seconds; gaps that end earlier are not given.
            until: seconds; gaps that begin later are not given.
        """
        if len(self._steps) < _FEWEST:
            return []
        usual = sorted(self._steps[1:])[int(_USUAL * (len(self._steps) - 1))]
        least = max(_LONG, _TIMES * usual)
        return [
            (begin, length)
            for begin, length in self._late
            if length > least and begin < until and begin + length > since
        ]


def gaps_in_words(gaps: list[tuple[float, float]]) -> str:
    """One sentence about gaps; empty where there are none."""
    if not gaps:
        return ""
    begin, length = gaps[0]
    more = f", and at {len(gaps) - 1} later place{'s' * (len(gaps) > 2)}" if len(gaps) > 1 else ""
    return (
        f"no frame is shown for {length:.2f} seconds from {begin:.2f} on{more}: if it was not "
        "filmed with pauses, part of it is lost, and it should be copied or downloaded again"
    )


def seconds_of(time: int, frame: av.VideoFrame) -> float:
    """Seconds of a time in the unit that a frame's times have."""
    return float(time * frame.time_base) if frame.time_base else 0.0

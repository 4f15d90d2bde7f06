"""Whether steps take as long as they did when the arithmetic was chosen."""

import statistics

# Steps in a row, and how many times as long as promised they take when that is news: at least the
# second, or at most one in that many.
_STRETCH = 20
_OTHER = 2.0


class Pace:
    """Compares each step's time with what was promised, and has something to report once."""

    def __init__(self, promised: float | None) -> None:
        """
        Args:
            promised: seconds for each number of a step's pictures; None to compare nothing.
        """
        self._promised = promised
        self._times: list[float] = []
        self._news: float | None = None

    def took(self, seconds: float, numbers: int) -> None:
        """A step of so many numbers took so long."""
        if not self._promised:
            return
        self._times.append(seconds / (self._promised * max(1, numbers)))
        if len(self._times) == _STRETCH:
            # One step in which something else was done makes no stretch slow.
            times = statistics.median(self._times)
            self._times.clear()
            if not 1 / _OTHER < times < _OTHER:
                self._news, self._promised = times, None

    def news(self) -> float | None:
        """How many times as long as promised a stretch took, if twice or half; returned once."""
        times, self._news = self._news, None
        return times

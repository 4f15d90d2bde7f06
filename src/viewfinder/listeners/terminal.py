"""What a person sees while work goes on: lines, and bars where someone looks on.

All of it goes to standard error, but in a notebook. Standard output belongs to results, so that
`--json` prints one document there and nothing else.
"""

import sys
from typing import TYPE_CHECKING, TextIO

from viewfinder import events
from viewfinder.console import broken, rich_console
from viewfinder.events import Event
from viewfinder.listeners.counting import CountedView
from viewfinder.listeners.notebook import in_notebook
from viewfinder.listeners.training import TrainingView
from viewfinder.wording import shown

if TYPE_CHECKING:
    from rich.status import Status

# How much of the advice is printed: the report has it all.
_ADVICE = 2


class Terminal:
    """Prints lines; draws bars where what it prints to is a terminal, or the cell of a notebook."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """
        Args:
            stream: a file to write lines to; what is standard error at the time if None.
        """
        self._file = stream
        self._counted: dict[str, CountedView] = {}
        self._trainings: dict[str, TrainingView] = {}
        self._status: Status | None = None

    @property
    def _stream(self) -> TextIO:
        # A notebook shows what goes to standard error as if it were an alarm.
        return self._file or (sys.stdout if in_notebook() else sys.stderr)

    def __call__(self, event: Event) -> None:
        match event:
            case events.Note():
                self._print_note(event.text)
            case events.Advice():
                self._print_broken(event.text)
            case events.FitJudged():
                self._print_broken(event.says)
                here = event.tries[: max(0, _ADVICE - event.commands)]
                if len(here) < len(event.tries):
                    # Before all of them: whole commands follow as notes.
                    every, some = len(event.tries) + event.commands, len(here) + event.commands
                    self._print(f"{every} things to try are in the report, {some} of them:")
                for each in here:
                    self._print_broken(f"try: {each}")
            case events.ProgressBegan() | events.Progressed() | events.ProgressEnded():
                self._progress(event)
            case events.JobsChanged() | events.JobsEnded():
                self._jobs(event)
            case events.TrainingBegan() | events.StepTaken():
                self._training(event)
            case events.EpochEnded() | events.TrainingEnded():
                self._training(event)

    def _print(self, text: str) -> None:
        print(shown(text), file=self._stream, flush=True)

    def _print_note(self, text: str) -> None:
        """Broken at words, wherever it is read; a command stays on its line."""
        for line in [text] if text.startswith("  ") else broken(text):
            self._print(line)

    def _print_broken(self, text: str) -> None:
        for line in broken(text):
            self._print(line)

    def _progress(
        self, event: events.ProgressBegan | events.Progressed | events.ProgressEnded
    ) -> None:
        """A bar, or off a terminal a line now and then."""
        if isinstance(event, events.ProgressBegan):
            cell = self._file is None and in_notebook()
            looked_on = self._stream.isatty()
            self._counted[event.work] = CountedView(event, self._print, bar=looked_on, cell=cell)
            return
        view = self._counted.get(event.work)
        if view is None:
            return
        if isinstance(event, events.Progressed):
            view.show(event.done)
        else:
            view.end(event.done)
            del self._counted[event.work]

    def _jobs(self, event: events.JobsChanged | events.JobsEnded) -> None:
        """A line that stays below where a person looks on; else one as each training begins."""
        if isinstance(event, events.JobsEnded):
            if self._status is not None:
                self._status.stop()
                self._status = None
            return
        so_far = f"({event.so_far})"
        if self._status is None and self._stream.isatty():
            self._status = rich_console(stderr=True).status("")
            self._status.start()
        if self._status is not None:
            from rich.text import Text

            names = "; ".join(event.running) or "gathering"
            self._status.update(Text(f"{names} {so_far}"))
        elif event.begun is not None:
            self._print(f"training {event.begun} {so_far}")

    def _training(
        self,
        event: events.TrainingBegan | events.StepTaken | events.EpochEnded | events.TrainingEnded,
    ) -> None:
        if isinstance(event, events.TrainingBegan):
            own_file = self._file is not None
            self._trainings[event.run] = TrainingView(event, self._print, lines_only=own_file)
            return
        view = self._trainings.get(event.run)
        if view is None:
            return
        if isinstance(event, events.StepTaken):
            view.step(event)
        elif isinstance(event, events.EpochEnded):
            view.epoch(event.row)
        else:
            view.end()
            del self._trainings[event.run]


USUAL = Terminal()
"""Who listens where nobody chose."""

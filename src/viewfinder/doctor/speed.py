"""What was measured on a machine: rates, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass

from viewfinder.values import as_number, as_number_or_none, as_tables, as_text, as_whole

PRODUCT, POINTWISE = "matrix product", "batch norm and ReLU"
"""What is measured beside kinds of convolutions."""


@dataclass(frozen=True)
class Rate:
    """How fast one thing is computed, forward and backward.

    Attributes:
        what: a kind of convolution, `PRODUCT`, or `POINTWISE`.
        arithmetic: 32, bf16 or 16.
        layout: contiguous or channels_last; of a product, which has none, nothing.
        threads: of the CPU; 0 on a GPU.
        value: 10⁹ multiply–accumulates a second; of `POINTWISE`, 10⁹ bytes written a second.
    """

    what: str
    arithmetic: str
    layout: str
    threads: int
    value: float

    @classmethod
    def from_json(cls, row: Mapping[str, object]) -> "Rate":
        """What `dataclasses.asdict` made of one.

        Raises:
            KeyError, ValueError: it is of no rate.
        """
        what, arithmetic, layout = (as_text(row[key]) for key in ("what", "arithmetic", "layout"))
        value = as_number(row["value"])
        if not 0 < value < 1e9:
            raise ValueError("a rate is no number")
        return cls(what, arithmetic, layout, as_whole(row["threads"]), value)


@dataclass(frozen=True)
class Speed:
    """All that was measured.

    Attributes:
        device: `cpu` or `cuda`.
        threads: all that torch takes.
        rates: of those that there was time for.
        updates: 10⁹ weights a second that an optimiser with momentum changes.
        pictures: JPEGs of 640×480 that one thread decodes in a second.
        seconds: that all this took.
        measured: when, in seconds since 1970.
    """

    device: str
    threads: int
    rates: tuple[Rate, ...]
    updates: float | None = None
    pictures: float | None = None
    seconds: float = 0.0
    measured: float = 0.0

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> "Speed":
        """What `dataclasses.asdict` made of one.

        Raises:
            KeyError, ValueError: it is of no speed.
        """
        return cls(
            as_text(document["device"]),
            as_whole(document["threads"]),
            tuple(Rate.from_json(row) for row in as_tables(document["rates"])),
            as_number_or_none(document["updates"]),
            as_number_or_none(document["pictures"]),
            as_number(document["seconds"]),
            as_number(document["measured"]),
        )

    def rate(self, what: str, arithmetic: str, layout: str, threads: int | None = None) -> float:
        """The value of one rate; 0 where it was not measured."""
        wanted = self.threads if threads is None and self.device == "cpu" else threads or 0
        key = (what, arithmetic, layout, wanted)
        return next(
            (r.value for r in self.rates if (r.what, r.arithmetic, r.layout, r.threads) == key), 0.0
        )

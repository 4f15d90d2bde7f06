"""How long a training takes, told before it begins."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from viewfinder.training.forecast import forecast


class Watched(nn.Module):
    """Says of each answer with how many threads it was computed."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[int] = []

    def forward(self, pictures: Tensor) -> Tensor:
        self.threads.append(torch.get_num_threads())
        return pictures.mean((2, 3))


@pytest.mark.parametrize("threads", [1, 2])
def test_of_a_layer_that_is_solved_an_answer_is_timed_as_pictures_are_described(threads):
    """By one thread, as each core has batches of its own; then there are as many as before."""
    usual, net = torch.get_num_threads(), Watched()
    setup = SimpleNamespace(
        recipe=SimpleNamespace(in_steps=False), config=SimpleNamespace(habits={}, size=(8, 8))
    )
    torch.set_num_threads(threads)
    try:
        arguments = (None, net, None, setup, None, torch.device("cpu"))
        told = forecast(*arguments, pictures=5)  # type: ignore[arg-type]
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(usual)
    assert set(net.threads) == {1}
    assert told.once > 0

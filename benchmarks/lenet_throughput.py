"""LeNet's training throughput beside the loop of every tutorial, and the machine's limit.

    uv run python benchmarks/lenet_throughput.py DATA     a folder with train/CLASS/picture

The tutorial's loop is a DataLoader over decoded files, ToTensor, Normalize, batches of 36 and SGD.
Ours is `viewfinder train` with its default recipe, augmentation included; its figure is that of the
training's own history. Both run in this process, in turn, three times; the median counts.
The limit is the arithmetic of a training step over the rate of a large matrix product.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torchvision import datasets, transforms

import viewfinder
from viewfinder import nets

ROUNDS = 3
# A training step multiplies and adds in the forward pass, for the gradients of the weights, and for
# those of the inputs; the first layer's input needs none.
LENET_MACS = 2_327_720
FIRST_LAYER_MACS = 16 * 28 * 28 * 3 * 5 * 5
FLOPS_A_PICTURE = 2 * (3 * LENET_MACS - FIRST_LAYER_MACS)


def tutorial(folder: Path) -> float:
    """Pictures a second of the plain loop, over one epoch after a first few batches."""
    transform = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))]
    )
    pictures = datasets.ImageFolder(str(folder / "train"), transform)
    loader = torch.utils.data.DataLoader(pictures, batch_size=36, shuffle=True, num_workers=0)
    net = nets.create("lenet", classes=len(pictures.classes))
    loss_function = nn.CrossEntropyLoss()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    start, seen = time.perf_counter(), 0
    for step, (inputs, labels) in enumerate(loader):
        if step == 5:
            start, seen = time.perf_counter(), 0
        optimiser.zero_grad()
        loss_function(net(inputs), labels).backward()
        optimiser.step()
        seen += len(labels)
    return seen / (time.perf_counter() - start)


def ours(folder: Path, epochs: int = 12) -> tuple[float, str]:
    """Pictures a second of the median epoch, and the arithmetic that was chosen."""
    with tempfile.TemporaryDirectory() as out:
        run = viewfinder.train(
            "classify", folder, out=Path(out) / "run", net="lenet", epochs=epochs
        )
        chosen = run.manifest.precision["arrangement"]
        rates = [row["images_per_s"] for row in run.history()]
    return statistics.median(rates), f"{chosen['arithmetic']} {chosen['layout']}"


def matrix_rate(dtype: torch.dtype, side: int = 2048) -> float:
    """Floating-point operations a second of a large matrix product."""
    a, b = torch.randn(side, side, dtype=dtype), torch.randn(side, side, dtype=dtype)
    a @ b
    times = []
    for _ in range(10):
        start = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - start)
    return 2 * side**3 / min(times)


def main() -> None:
    folder = Path(sys.argv[1])
    plain, fast, chosen = [], [], ""
    for _ in range(ROUNDS):
        plain.append(tutorial(folder))
        rate, chosen = ours(folder)
        fast.append(rate)
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"tutorial's loop   {statistics.median(plain):>10,.0f} pictures/s   {plain}")
    print(f"viewfinder train  {statistics.median(fast):>10,.0f} pictures/s   {chosen}  {fast}")
    print(f"ratio             {statistics.median(fast) / statistics.median(plain):>10.1f}")
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        limit = matrix_rate(dtype) / FLOPS_A_PICTURE
        shares = [statistics.median(rates) / limit for rates in (plain, fast)]
        print(
            f"limit in {name:<9}{limit:>10,.0f} pictures/s   "
            f"tutorial {shares[0]:.1%}, viewfinder {shares[1]:.1%} of it"
        )


if __name__ == "__main__":
    main()

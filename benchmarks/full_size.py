"""One training step and one inference of a network at its paper's full size: seconds and memory.

    uv run python benchmarks/full_size.py yolov3 [BATCH]
    uv run python benchmarks/full_size.py a2dele [BATCH]

Each in float32 with AdamW and the task's own loss, on random pictures. Memory is the most that the
process ever had, beyond what it had before the network was made.
"""

import resource
import statistics
import sys
import time

import torch

from viewfinder import nets
from viewfinder.memory import keep_freed
from viewfinder.tasks.detect.examples.batch import BoxTruth
from viewfinder.tasks.detect.heads.yolo.losses import loss as detection_loss
from viewfinder.tasks.saliency.losses import distillation_loss


def memory() -> float:
    """The most memory this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def total(net: torch.nn.Module, name: str, pictures: torch.Tensor) -> torch.Tensor:
    """The task's loss on made-up truth."""
    count, _, height, width = pictures.shape
    if name.startswith("yolov3"):
        boxes = torch.tensor([[50.0, 60.0, 150.0, 200.0]]).repeat(count, 1)
        truth = BoxTruth(boxes, torch.zeros(count, dtype=torch.int64), torch.arange(count), count)
        return torch.stack(list(detection_loss(net(pictures), net.scales, truth).values())).sum()
    logits, *attentions = net(pictures)
    mask = torch.zeros(count, height, width, dtype=torch.int64)
    mask[:, 60:180, 60:180] = 1
    teacher = torch.randn_like(logits)
    return distillation_loss(
        logits, attentions, mask, teacher, weight="adaptive", attention="dilated"
    ).total


def main() -> None:
    name = sys.argv[1]
    batch = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    side = nets.input_size(name)[0]
    keep_freed()
    before = memory()
    torch.manual_seed(0)
    net = nets.create(name)
    parameters = sum(p.numel() for p in net.parameters())
    print(f"{name} at {side}×{side}, {torch.get_num_threads()} threads, {parameters:,} parameters")
    picture = torch.rand(1, 3, side, side)
    net.eval()
    times = []
    with torch.no_grad():
        for _ in range(8):
            start = time.perf_counter()
            net(picture)
            times.append(time.perf_counter() - start)
    print(f"inference of one picture  {1e3 * statistics.median(times[2:]):8.0f} ms")
    print(f"  memory so far           {memory() - before:8.0f} MiB")
    net.train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-4)
    pictures, times = torch.rand(batch, 3, side, side), []
    for _ in range(4):
        start = time.perf_counter()
        optimiser.zero_grad()
        value = total(net, name, pictures)
        value.backward()
        optimiser.step()
        times.append(time.perf_counter() - start)
    print(f"training step of {batch}        {1e3 * statistics.median(times[1:]):8.0f} ms")
    print(f"  loss {value.item():.3f}, memory {memory() - before:.0f} MiB")


if __name__ == "__main__":
    main()

"""Batch normalisation by the whole batch, where several processes share it.

Left alone, each process would normalise by its own part: other numbers, and noisier ones, than one
process takes. On CUDA this is torch's `SyncBatchNorm`; on the CPU, which that refuses, the same in
a few lines: sums over all processes, whose gradients are summed likewise.
"""

import torch
from torch import Tensor, distributed, nn
from torch.autograd.function import FunctionCtx, once_differentiable


def share_statistics(net: nn.Module, device: torch.device) -> nn.Module:
    """The net, whose batch normalisations are of all processes from now on.

    Parameters and buffers stay the same tensors under the same names.
    """
    if device.type == "cuda":
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call]
        return converted
    for module in list(net.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, _shared(child))
    return net


def _shared(norm: nn.BatchNorm2d) -> "SharedBatchNorm":
    """The same normalisation, of all processes."""
    shared = SharedBatchNorm(
        norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats
    )
    shared._parameters, shared._buffers = norm._parameters, norm._buffers
    return shared.train(norm.training)


class SharedBatchNorm(nn.BatchNorm2d):
    """`nn.BatchNorm2d` whose mean and variance are those of the batch over all processes."""

    def forward(self, features: Tensor) -> Tensor:  # N×C×H×W
        if not self.training:
            return super().forward(features)
        # Sums of many squares lose their last digits in 16 bits, and the small variances with them.
        low = features.dtype in (torch.float16, torch.bfloat16)
        exact = features.float() if low else features
        # Parts of a batch may differ by a picture, so the count is summed too. In float64, so that
        # into how many parts a batch is dealt hardly shows in float32.
        own = exact.new_tensor([exact.numel() / exact.shape[1]], dtype=torch.float64)
        sums: Tensor = _Sum.apply(torch.cat([exact.sum((0, 2, 3), dtype=torch.float64), own]))
        count = sums[-1].detach()
        mean = sums[:-1] / count
        # Of what is centred: E[x²] − E[x]² would subtract two large numbers that are nearly equal.
        centred = exact - mean.to(exact.dtype)[:, None, None]
        squares: Tensor = _Sum.apply(centred.square().sum((0, 2, 3), dtype=torch.float64))
        variance = squares / count
        self._remember(mean.detach(), variance.detach(), count)
        normal = centred * (variance + self.eps).rsqrt().to(exact.dtype)[:, None, None]
        if self.affine:
            normal = normal * self.weight[:, None, None] + self.bias[:, None, None]
        return normal.to(features.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        """Move the running statistics, as torch does: by the variance of a sample."""
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        weight = self.momentum
        if weight is None:
            weight = 1 / float(self.num_batches_tracked)
        kind = self.running_var.dtype
        self.running_mean.lerp_(mean.to(kind), weight)
        self.running_var.lerp_((variance * count / (count - 1)).to(kind), weight)


class _Sum(torch.autograd.Function):
    """The sum over all processes. What each of them makes of it counts in its gradient."""

    @staticmethod
    def forward(ctx: FunctionCtx, values: Tensor) -> Tensor:
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        distributed.all_reduce(total)
        return total

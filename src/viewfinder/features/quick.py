"""Nets as they describe soonest."""

import copy

import torch
from torch import nn

from viewfinder.nets.efficientnet_lite import fold_norms
from viewfinder.nets.fusing import fused_forward


def quick_copy(net: nn.Module) -> nn.Module:
    """A copy of a net in evaluation mode that answers the same, but for rounding, and sooner."""
    own = copy.deepcopy(net)
    fused = None if next(own.parameters()).is_cuda else fused_forward(own)
    return fused or fold_norms(own).to(memory_format=torch.channels_last)

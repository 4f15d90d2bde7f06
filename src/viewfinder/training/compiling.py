"""A network's passes as compiled code, for trainings that are long enough to win the time back."""

import os
import shutil

import torch
from torch import nn

from viewfinder.errors import InputError
from viewfinder.events import note

# What torch's compiler asks of a machine: on the CPU to make its loops, on a GPU to start them.
_COMPILERS = ("g++", "clang++", "c++", "cl")


def require_compiler() -> None:
    """See that there is what torch compiles by.

    Raises:
        InputError: there is no compiler.
    """
    named = os.environ.get("CXX")
    if not any(map(shutil.which, [named] if named else _COMPILERS)):
        raise InputError(
            f"--compile needs a C++ compiler, and there is no {named or 'g++'}: install one, or "
            "leave --compile out"
        )


def compile_passes(net: nn.Module) -> None:
    """Have a net compiled in its first passes, forward and backward, and once more for each other
    size or number of pictures until torch finds code for all. Its weights and their names stay.

    What cannot be compiled is computed as it is written, which torch warns of.
    """
    torch._dynamo.config.suppress_errors = True
    note("the first steps compile the network, which takes a minute or more")
    net.compile()

"""A network's passes as compiled code, where that is quicker than what it is written as."""

import os
import shutil
from collections.abc import Callable
from time import perf_counter

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


def compile_if_quicker(
    net: nn.Module, seconds_of_step: Callable[[Callable[[nn.Module], object]], float]
) -> None:
    """Have a net's passes compiled, unless a step of a copy shows that it cannot be, or is no
    quicker then; what it comes to is told. Its weights and their names stay.

    Args:
        seconds_of_step: of a step of a copy, that is given to a function before.
    """
    note("compiling the network, which takes a minute or more")
    plain = seconds_of_step(lambda copied: None)
    begun = perf_counter()
    try:
        compiled = seconds_of_step(nn.Module.compile)
    except Exception as error:  # whatever the compiler stumbles over, the net learns without it
        lines = [*str(error).strip().splitlines(), type(error).__name__]
        why = next((line for line in lines if "Error: " in line), lines[0])
        note(f"this network cannot be compiled here ({why:.120}): it is trained as it is written")
        return
    took = perf_counter() - begun
    times = f"a step takes {1e3 * compiled:,.0f} ms compiled, {1e3 * plain:,.0f} as it is written"
    if compiled >= plain:
        note(f"{times}: it is trained as it is written")
        return
    note(f"{times}; compiling took {took:,.0f} s, which {took / (plain - compiled):,.0f} steps win")
    net.compile()

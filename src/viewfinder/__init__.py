"""Viewfinder: from a few photographs to a vision model that you understand and can trust.

Names are imported when they are first used, so that `import viewfinder` does not wait for torch.
"""

# As typing has it, whose import takes longer than all else here: until the command line is reached,
# a Ctrl-C is answered by Python, with a traceback.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from viewfinder import nets
    from viewfinder.api import Run, describe, next_to_label, open_net, open_run, similar, train, why
    from viewfinder.datasets.opening import open_dataset
    from viewfinder.errors import InputError
    from viewfinder.events import listening
    from viewfinder.explain.explaining import explain

_HOMES = {
    "InputError": "viewfinder.errors",
    "Run": "viewfinder.api",
    "describe": "viewfinder.api",
    "explain": "viewfinder.explain",
    "listening": "viewfinder.events",
    "nets": "viewfinder.nets",
    "next_to_label": "viewfinder.api",
    "open_dataset": "viewfinder.datasets.opening",
    "open_net": "viewfinder.api",
    "open_run": "viewfinder.api",
    "similar": "viewfinder.api",
    "train": "viewfinder.api",
    "why": "viewfinder.api",
}

__all__ = [
    "InputError",
    "Run",
    "describe",
    "explain",
    "listening",
    "nets",
    "next_to_label",
    "open_dataset",
    "open_net",
    "open_run",
    "similar",
    "train",
    "why",
]


def __getattr__(name: str) -> object:
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'viewfinder' has no attribute {name!r}")
    module = importlib.import_module(_HOMES[name])
    # These two are packages; `explain` is one that can be called.
    return module if name in ("explain", "nets") else getattr(module, name)

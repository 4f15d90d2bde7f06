"""From which module a name comes that a star brought: `from torch.autograd import *`.

The modules are not looked into. A name is taken to come from one where a rule speaks of it.
"""

import re

from viewfinder.doctor.code.renamed import TABLE

# What rules speak of besides the table: names, and kinds of names.
_NAMED = {
    *("torch.autograd.Variable", "torch.load", "yaml.load", "apex.amp"),
    *("cv2.imread", "cv2.imwrite", "cv2.findContours", "cv2.dnn"),
}
_KINDS = re.compile(
    r"torch\.nn\.\w+Loss|torch\.nn\.functional\.(\w+_loss|\w*cross_entropy\w*|kl_div)|"
    r"torchvision\.models\.(alexnet|vgg|resnet|resnext|wide_resnet|densenet|inception|googlenet|"
    r"mobilenet|squeezenet|shufflenet|mnasnet|efficientnet)\w*"
)
_LIBRARIES = {name.partition(".")[0] for name in (*TABLE, *_NAMED)} | {"torchvision"}
_BEGINNINGS = {
    ".".join(parts[: length + 1])
    for parts in (name.split(".") for name in (*TABLE, *_NAMED))
    for length in range(1, len(parts))
}


def star_of(name: str, modules: list[str]) -> str:
    """The module among those imported whole that brings a name; nothing where it may be another.

    A kind of names, such as all nets of torchvision, may as well come from a file of the user's.
    """
    ours = [module for module in modules if module.partition(".")[0] in _LIBRARIES]
    found = [module for module in ours if f"{module}.{name}" in _BEGINNINGS]
    if not found and len(ours) == len(modules):
        found = [module for module in ours if _KINDS.fullmatch(f"{module}.{name}")]
    return found[-1] if found else ""

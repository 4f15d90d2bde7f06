"""The model in a run's folder: its net with the weights that the training left."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.nets.building import build, numbers_in, shapes_alone
from viewfinder.reading import refuse_special
from viewfinder.tasks import find
from viewfinder.tasks.manifest import Manifest, read_manifest
from viewfinder.tasks.model import Model, ModelConfig
from viewfinder.tasks.normalisation import Normalisation
from viewfinder.tasks.run_files import MANIFEST, WEIGHTS

# Nets and sizes, as text, that were seen to fit: a training opens its run a dozen times.
_FITTING: set[str] = set()

# Pixels of a picture that a net answers sooner than torch loads what computes shapes alone.
_ANSWERED = 512 * 512


@dataclass(frozen=True)
class RunWeights:
    """The weights that a training left in its folder."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / WEIGHTS

    def load(self, config: ModelConfig) -> nn.Module:
        """`Weights.load`.

        Raises:
            InputError: there are none yet, or they are not this net's.
        """
        if not self.file.exists():
            raise InputError(
                f"{self.folder} has no weights yet: its training stopped before the first epoch "
                "ended; go on with the same command and --resume"
            )
        try:
            refuse_special(self.file)
            numbers = numbers_in(self.file)
            state = safetensors.torch.load_file(self.file)
        except (SafetensorError, OSError) as error:
            raise self._others(config) from error
        try:
            net = build(lambda: _net_of(config), numbers=numbers)
        except InputError as error:
            raise InputError(f"{self.folder / MANIFEST} is damaged: {error}") from error
        try:
            net.load_state_dict(state)
        except RuntimeError as error:
            raise self._others(config) from error
        if not find(config.task).any_size:
            self._refuse_other_size(config, net)
        return net.eval()

    def _others(self, config: ModelConfig) -> InputError:
        return InputError(
            f"{self.file} does not hold the weights of this run's {config.net}: "
            "the file is damaged or from another run"
        )

    def _refuse_other_size(self, config: ModelConfig, net: nn.Module) -> None:
        """See that the net takes pictures of the size that is stated; of a large one by shapes."""
        width, height = config.size
        asked = f"{config.net} {dict(config.options)} {len(config.classes)} {config.size}"
        if asked in _FITTING:
            return
        try:
            with torch.no_grad():
                if width * height <= _ANSWERED:
                    net.eval()(torch.zeros(1, 3, height, width))
                else:
                    with shapes_alone():
                        _net_of(config).eval()(torch.empty(1, 3, height, width))
        except (RuntimeError, ValueError) as error:
            raise InputError(
                f"{self.folder / MANIFEST} is damaged: its {config.net} takes no pictures "
                f"of {width}×{height}"
            ) from error
        _FITTING.add(asked)


def config_of(manifest: Manifest) -> ModelConfig:
    """How the net of a run is asked."""
    task = find(manifest.task)
    return ModelConfig(
        task=manifest.task,
        net=manifest.net,
        classes=manifest.classes,
        size=manifest.size,
        normalisation=Normalisation(manifest.mean, manifest.std),
        options=manifest.options,
        framing=task.framing,
        bits=manifest.bits,
        habits=task.habits(manifest.recipe, manifest.data),
    )


def model_of(folder: Path, manifest: Manifest) -> Model:
    """The model in a run's folder, of which `manifest` was read."""
    config = config_of(manifest)
    kept = find(manifest.task).kept_habits(folder, manifest.classes)
    return Model(folder, RunWeights(folder), replace(config, habits={**config.habits, **kept}))


def open_trained(folder: Path) -> Model:
    """The model that a training left in a folder.

    Raises:
        InputError: there is no run, or one that this version cannot read.
    """
    return model_of(folder, read_manifest(folder))


def new_net(name: str, classes: int, options: Mapping[str, object]) -> nn.Module:
    """A network with fresh weights.

    Raises:
        InputError: no such network or option, or pictures too small for it.
    """
    # A net whose answers are no classes, as one that finds the subject, has none to count.
    counted = classes if "classes" in nets.options(name) else None
    return nets.create(name, classes=counted, **options)


def _net_of(config: ModelConfig) -> nn.Module:
    return new_net(config.net, len(config.classes), config.options)

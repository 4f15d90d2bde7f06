"""A job answered by Ray Data: on this machine's cores, or on a cluster's machines.

Each worker has the model once and answers part after part. What a worker that dies was about is
given to another.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from viewfinder.cpu import cpu_features
from viewfinder.devices import pick_device
from viewfinder.errors import InputError
from viewfinder.events import track
from viewfinder.inference.answers import Predictor
from viewfinder.inference.bulk.parts import BulkJob, answer_part

if TYPE_CHECKING:
    from types import ModuleType


def answer_on_ray(
    job: BulkJob,
    parts: Sequence[int],
    *,
    workers: int,
    cpus: int = 1,
    address: str | None = None,
    device: str = "auto",
) -> None:
    """Answer parts of a job on `workers` workers.

    Args:
        cpus: that each worker has.
        address: of a cluster that runs, such as `auto` on one of its machines; None starts one on
            this machine, and ends it.
        device: where each worker computes; on a GPU each takes one.

    Raises:
        InputError: Ray is missing, there is no such cluster, or a worker cannot go on.
    """
    ray = imported_ray()
    _connect(ray, address, workers * cpus)
    try:
        rows = [{"part": part} for part in parts]
        data = ray.data.from_items(rows, override_num_blocks=len(rows))
        done = data.map(
            _Worker,
            fn_constructor_args=(job, device),
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(rows))),
            num_cpus=cpus,
            num_gpus=1 if pick_device(device).type == "cuda" else 0,
        )
        for _ in track(_rows(ray, done), total=len(rows), description="parts answered"):
            pass
    finally:
        ray.shutdown()


class _Worker:
    """Answers part after part, in a process of its own."""

    def __init__(self, job: BulkJob, device: str) -> None:
        # Ray says how many cores are this worker's.
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        self._job = job
        self._predictor = Predictor(job.model, device=pick_device(device), threshold=job.threshold)

    def __call__(self, row: dict[str, int]) -> dict[str, int]:
        answer_part(self._predictor, self._job, int(row["part"]))
        return {"part": int(row["part"])}


def _rows(ray: "ModuleType", done: object) -> Iterator[object]:
    """What the workers give, as it comes.

    Raises:
        InputError: a worker cannot go on.
    """
    try:
        yield from done.iter_rows()  # type: ignore[attr-defined]
    except (ray.exceptions.RayError, ray.exceptions.RayTaskError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, InputError):
            cause = cause.__cause__ or getattr(cause, "cause", None)
        raise InputError(str(cause) if cause else f"Ray stopped: {str(error)[:300]}") from error


def imported_ray() -> "ModuleType":
    """Ray and pyarrow, which are an extra.

    Raises:
        InputError: one is not installed.
    """
    # Nothing is measured or sent; and workers are this very installation.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # What its processes log is for its own folder.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import pyarrow  # noqa: F401
        import ray
        import ray.data
        import ray.exceptions
    except ImportError as error:
        raise InputError(
            f"many machines need {error.name}: install it with `pip install viewfinder[ray]`"
        ) from error
    module: ModuleType = ray
    return module


def _connect(ray: "ModuleType", address: str | None, cpus: int) -> None:
    table = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        if address is None:
            ray.init(num_cpus=max(cpus, 1), include_dashboard=False, **table)
        else:
            ray.init(address=address, **table)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(f"there is no Ray cluster at {address}: {str(error)[:200]}") from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def usual_workers() -> int:
    """As many as this process may keep cores busy."""
    return cpu_features().threads

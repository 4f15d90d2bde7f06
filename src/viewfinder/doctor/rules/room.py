"""Rules about disks and memory: what can be written, and what fits."""

from viewfinder.doctor.finding import Finding
from viewfinder.doctor.machine import Machine, workload
from viewfinder.doctor.rules.telling import (
    GIB,
    Rule,
    broken,
    gib,
    listed,
    unasked,
    unknown,
    untold,
    warning,
)
from viewfinder.doctor.workload import defaults_of, training_memory
from viewfinder.tasks import NAMES

# Bytes of a disk below which nothing fits on it, and below which it will be full soon.
_FULL, _SOON = 200 << 20, 3 * GIB


# 10⁶ bytes a second: less than a photograph takes to be decoded, in one thread.
_SLOW_DISK = 20.0


_WHAT = {"runs": "the folder for runs", "cache": "the cache"}


_LITTLE_MEMORY = GIB


# A share of swap that is left, below which the machine is about to run out of memory.
_SWAPPED = 0.2


def _cache(machine: Machine) -> Finding | None:
    return _place(machine, "cache", "set VIEWFINDER_CACHE to a folder on a disk with room")


def _runs(machine: Machine) -> Finding | None:
    return _place(machine, "runs", "start elsewhere, or name a folder with --out")


def _place(machine: Machine, name: str, fix: str) -> Finding | None:
    what = _WHAT[name]
    place = next((each for each in machine.places if each.name == name), None)
    if place is None:
        return untold(f"whether {what} can be written", machine, "places")
    if place.writable is False:
        say = broken if name == "cache" else warning
        why = (
            "sets that are larger than memory, and the embedded one, cannot be kept"
            if name == "cache"
            else "train writes there when no --out is given, and will refuse"
        )
        return say(f"{what}, {place.shown}, cannot be written", why, fix)
    if place.free is not None and place.free < _SOON:
        full = place.free < _FULL
        why = (
            "what is written fails"
            if full
            else "a set larger than memory, or some runs, will fill it"
        )
        say = broken if full else warning
        return say(f"the disk of {what}, {place.shown}, has {gib(place.free)} left", why, fix)
    if place.writable is None or place.free is None:
        return unknown(f"whether {what} can be written", f"{place.shown} cannot be looked at", fix)
    return None


def _disks(machine: Machine) -> Finding | None:
    for disk in machine.disks:
        names = listed([_WHAT[name] for name in disk.places])
        if disk.error:
            return broken(
                f"the disk of {names} seems to be writable, and writing to it fails: {disk.error}",
                "runs and whatever is cached cannot be kept, though there is room by its figures",
                "see whether your quota is used up (quota -s), or the disk fails (dmesg)",
            )
        slow = [
            f"{verb} {speed:.2g} MB/s"
            for verb, speed in (("writes", disk.written), ("reads", disk.read))
            if speed and speed < _SLOW_DISK
        ]
        if slow:
            return warning(
                f"the disk of {names} {listed(slow)}",
                "a training waits for what it reads there, and for each state that it keeps",
                "give train a folder on a faster disk with --out, and VIEWFINDER_CACHE another one",
            )
    return None


def _memory_for_recipes(machine: Machine) -> Finding | None:
    gpus = machine.torch.gpus if machine.torch and machine.torch.cuda else ()
    free = min((g.free for g in gpus if g.free), default=None)
    where = "the GPU's memory"
    if free is None:
        free, where = (machine.memory.free if machine.memory else None), "memory"
    if free is None:
        return untold("whether the recipes' batches fit into memory", machine, "memory")
    short = []
    for task in NAMES:
        recipe = defaults_of(task)
        work = workload(machine, recipe.net)
        if work is None:
            return _uncounted(machine)
        need = training_memory(work, recipe.batch)
        if need > free:
            fits = [n for n in (64, 32, 16, 8, 4, 2, 1) if n < recipe.batch]
            batch = next((n for n in fits if training_memory(work, n) <= free), None)
            short.append((task, recipe, need, batch))
    if not short:
        return None
    parts = [
        f"train {task} with {recipe.net} ({gib(need)} at --batch {recipe.batch})"
        for task, recipe, need, _ in short
    ]
    batches = [f"--batch {batch} for {task}" for task, _, _, batch in short if batch]
    fix = f"give {listed(batches)}" if batches else "close other programs, or use another machine"
    return warning(
        f"{gib(free)} of {where} are free, too little for {listed(parts)}",
        "the training ends when memory does",
        fix,
    )


def _uncounted(machine: Machine) -> Finding:
    what = "whether the recipes' batches fit into memory"
    if machine.torch is None:
        return unasked(what)
    if not machine.torch.works:
        lacks = "torch counts what the networks take, and does not work"
        return unknown(what, lacks, "fix torch, and ask again")
    return untold(what, machine, "networks", fix="run it again: what was counted is remembered")


def _memory_low(machine: Machine) -> Finding | None:
    memory = machine.memory
    if memory is None or memory.free is None:
        return untold("whether memory is free", machine, "memory")
    limited = memory.limit is not None and memory.total and memory.limit < memory.total
    if memory.free < _LITTLE_MEMORY:
        return warning(
            f"only {gib(memory.free)} of memory are free"
            + (f" of the {gib(memory.limit or 0)} that the container may use" if limited else ""),
            "pictures are read more slowly, and the system may end the training",
            "close other programs" + (", or give the container more memory" if limited else ""),
        )
    if memory.swap and memory.swap_free is not None and memory.swap_free < _SWAPPED * memory.swap:
        return warning(
            f"{gib(memory.swap - memory.swap_free)} of {gib(memory.swap)} of swap are taken",
            "memory ran short a while ago, and what was moved to the disk is slow",
            "close other programs before you train",
        )
    return None


_KERNEL = "https://docs.kernel.org/admin-guide/cgroup-v2.html"

RULES = (
    Rule("cache", "https://specifications.freedesktop.org/basedir-spec/latest/", _cache),
    Rule("runs", "https://docs.python.org/3/library/os.html#os.access", _runs),
    Rule("disks", "https://man7.org/linux/man-pages/man2/fsync.2.html", _disks),
    Rule("memory for recipes", _KERNEL, _memory_for_recipes),
    Rule("memory", _KERNEL, _memory_low),
)

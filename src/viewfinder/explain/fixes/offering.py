"""Which fixes are offered: those after which the net gets further, the best first."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from viewfinder.explain import diagnosis
from viewfinder.explain.diagnosis.case import Case, path_as_code
from viewfinder.explain.edits import Edit, EditError, Offer, Rewrite
from viewfinder.explain.fixes import (
    attention,
    carried,
    counted,
    earlier,
    folding,
    forgotten,
    gathered,
    general,
    given,
    growing,
    joins,
    kin,
    layers,
    layouts,
    left_out,
    lost,
    misspelt,
    norms,
    orders,
    other_dimensions,
    products,
    recurrent,
    reshapes,
    scales,
    seeds,
    skips,
    too_large,
    unpacking,
    unused,
    upstream,
    windows,
)
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.lab import MIXED, Lab, Stop, Verdict
from viewfinder.explain.fixes.meaning import meaning
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.input_edits import Given, Resized

MOST = 4
_TRIED = 48
# A fix that needs another behind it comes after one that does not.
CHAINED = 0.4
_DEPTH = 3
# What most likely means something else comes after all that does not.
OTHERWISE = 10.0
# Of the general changes: how many calls the passes of all trials may come to.
_EVERYTHING = 12_000
Generator = Callable[[Scene], Iterator[Candidate]]
_GENERATORS = (
    lost.candidates,
    misspelt.candidates,
    left_out.candidates,
    scales.candidates,
    forgotten.candidates,
    unused.candidates,
    given.candidates,
    counted.candidates,
    unpacking.candidates,
    layers.candidates,
    norms.candidates,
    skips.candidates,
    windows.candidates,
    too_large.candidates,
    gathered.candidates,
    growing.candidates,
    seeds.candidates,
    orders.candidates,
    recurrent.candidates,
    carried.candidates,
    folding.candidates,
    attention.candidates,
    products.candidates,
    joins.candidates,
    earlier.candidates,
    other_dimensions.candidates,
    reshapes.candidates,
    upstream.candidates,
    layouts.candidates,
)


def offers(lab: Lab, stop: Stop) -> list[Offer]:
    """At most four fixes that were tried and get further, the best first."""
    found = _search(lab, stop, (), _DEPTH)
    if not any(offer.whole and not offer.means for offer in found):
        lab.shortcuts.work = 0
        more = _search(lab, stop, (), 2, everything=True)
        known = {offer.says for offer in more}
        found = [*more, *(offer for offer in found if offer.says not in known)]
        found.sort(key=_order)
    return found[:MOST]


def _order(offer: Offer) -> tuple[bool, float]:
    """The whole first; what means something else after what does not."""
    return not offer.whole, offer.cost + OTHERWISE * bool(offer.means)


def _search(
    lab: Lab, stop: Stop, edits: tuple[Edit, ...], depth: int, *, everything: bool = False
) -> list[Offer]:
    """Fixes of one mistake, each with those of the mistakes behind it.

    Args:
        everything: try the general changes too.
    """
    failure = stop.failure
    scene = Scene(Case(failure), lab.names(stop, edits), lab, edits)
    result: list[Offer] = []
    chained = 0
    for candidate, verdict in _tried(scene, stop, everything=everything):
        chain = None
        if not verdict.whole and not everything:
            candidate, verdict = kin.everywhere(scene, stop, candidate, verdict, _rules)
        if (
            not verdict.whole
            and depth > 1
            and chained < (8 if everything else 3)
            and verdict.stop is not None
        ):
            chained += 1
            chain = _next(lab, verdict.stop, (*edits, *candidate.edits), depth - 1)
            if chain is not None and _undone(candidate.edits, chain.edits):
                continue
        result.append(_offer(lab, candidate, verdict, chain))
        if verdict.whole and not lab.inputs.batch and isinstance(candidate.edits[0], Given):
            # The batch was missing: whatever else runs without it mixes what belongs apart.
            return result
        if sum(offer.whole and not offer.means for offer in result) >= MOST:
            break
    result.sort(key=_order)
    if any(offer.whole for offer in result):
        # A way that ends at another mistake tells less than one that does not.
        result = [offer for offer in result if offer.whole]
    return result


def _next(lab: Lab, stop: Stop, edits: tuple[Edit, ...], depth: int) -> Offer | None:
    further = _search(lab, stop, edits, depth)
    return further[0] if further else None


def _undone(edits: Sequence[Edit], later: Sequence[Edit]) -> bool:
    """Whether an expression that was written anew is written anew once more behind it."""
    keys = {edit.key for edit in edits if isinstance(edit, Rewrite) and edit.operand is None}
    return any(isinstance(e, Rewrite) and e.operand is None and e.key in keys for e in later)


def _tried(scene: Scene, stop: Stop, *, everything: bool) -> Iterator[tuple[Candidate, Verdict]]:
    wanted = list(_rules(scene))
    if everything:
        wanted += _all(scene, (general.candidates,))
        wanted.sort(key=lambda candidate: candidate.cost)
    most = max(_TRIED, _EVERYTHING // max(stop.place, 10)) if everything else _TRIED
    seen: set[str] = set()
    odd: list[tuple[Candidate, Verdict]] = []
    found, resized, limit = 0, False, layouts.LAST if not everything else float("inf")
    whole = False
    for candidate in wanted:
        known = candidate.says in seen or (whole and candidate.cost >= limit)
        if known or ((resized or scene.lab.inputs.names) and _resizes(candidate)):
            continue
        if most <= 0:
            break
        if scene.lab.exhausted(found=whole):
            scene.lab.untried += 1
            continue
        seen.add(candidate.says)
        try:
            verdict = scene.lab.judge(scene.edits, candidate.edits, stop)
        except EditError:
            # A change that cannot even be made is none.
            continue
        most -= not verdict.alone
        if not verdict.further:
            continue
        if verdict.answers:
            if verdict.answers == MIXED:
                continue
            odd.append((candidate, verdict))
            continue
        resized = resized or _resizes(candidate)
        if verdict.whole and not verdict.any_size and not candidate.only_here:
            candidate = replace(candidate, cost=candidate.cost + 0.4)
        means = meaning(scene, candidate, verdict, stop)
        candidate = replace(candidate, means=means)
        found, whole = found + 1, whole or (verdict.whole and not means)
        if everything and verdict.whole and not means:
            # What is more far-fetched by much is not worth the time.
            limit = min(limit, candidate.cost + 0.2)
        yield candidate, verdict
    if not found and not scene.edits:
        yield from odd


def _resizes(candidate: Candidate) -> bool:
    """One other size of the pictures is enough to be told."""
    return any(isinstance(edit, Resized) for edit in candidate.edits)


def _rules(scene: Scene) -> Iterator[Candidate]:
    """What the rules have to offer, the likeliest first."""
    yield from sorted(_all(scene, _GENERATORS), key=lambda candidate: candidate.cost)


def _all(scene: Scene, generators: Sequence[Generator]) -> Iterator[Candidate]:
    for generate in generators:
        with suppress(*diagnosis.SUPPRESSED):
            yield from generate(scene)


def _offer(lab: Lab, candidate: Candidate, verdict: Verdict, chain: Offer | None) -> Offer:
    if chain is not None:
        lost = f", but {candidate.means}" if candidate.means and not chain.means else ""
        return Offer(
            (*candidate.edits, *chain.edits),
            (candidate.says, *chain.says),
            chain.whole,
            f"{candidate.says}; then, at {_stop(verdict)}, {chain.text}{lost}",
            candidate.cost + chain.cost + CHAINED,
            candidate.means or chain.means,
        )
    if verdict.whole:
        end = f"then {'this line' if lab.inputs.names else 'the whole net'} runs"
        if verdict.only:
            end += f", with {verdict.only} only"
        if verdict.answers:
            end += f" (but {verdict.answers})"
        if candidate.means:
            end += f", but {candidate.means}"
    else:
        end = f"then it stops at {_stop(verdict)}"
    return Offer(
        candidate.edits,
        (candidate.says,),
        verdict.whole,
        f"{candidate.says}; {end}",
        candidate.cost,
        candidate.means,
    )


def _stop(verdict: Verdict) -> str:
    if verdict.stop is None:
        return "the end"
    failure = verdict.stop.failure
    if failure.frame.row is not None:
        return path_as_code(failure.frame.path) or type(failure.frame.module).__name__
    case = Case(failure)
    return case.where.split(",")[0]

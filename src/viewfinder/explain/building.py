"""Why a net cannot be built: a layer of torch.nn that refuses its arguments, and what it takes.

Each fix is tried: the net is built again with the layer's other arguments in that one place, and,
where its inputs are known, run.
"""

import inspect
from collections.abc import Callable, Sequence

from torch import nn

from viewfinder.explain.constructions import Construction, Refused, construction
from viewfinder.explain.edits import Edit, Offer, Replace
from viewfinder.explain.explanation import Explanation, Mistake, Totals
from viewfinder.explain.fixes.arguments import refused
from viewfinder.explain.passed import Kwargs
from viewfinder.explain.rebuilding import Begun, constructed
from viewfinder.explain.recording import is_users

Build = Callable[[], nn.Module]
Given = Callable[[nn.Module], tuple[object, ...]]
MOST = 4
_DEPTH = 4


def explain_building(
    error: Exception, build: Build | None = None, given: Given | None = None, name: str = ""
) -> Explanation | None:
    """The explanation of an error that building a net raised; None where no layer of torch did.

    Args:
        build: builds the net again; the class whose `__init__` failed, if not known.
        given: the inputs of a net that could be built, with which it is run.
        name: what to call the net.
    """
    made = construction(error)
    if made is None:
        return None
    again, owner = (build, name) if build is not None else _rebuilding(error)
    if again is None and isinstance(made, Construction):
        again = _alone(made)
    if again is None:
        return None
    found = _search(made, (), _Trial(again, given), _DEPTH)[:MOST]
    why = _why(made)
    mistake = Mistake(
        _where(made),
        why.rule,
        made.text if isinstance(made, Construction) else made.kind.__name__,
        why.expected,
        tuple(offer.text for offer in found),
        offers=tuple(found),
    )
    title = name or owner or "the net"
    return Explanation(title, (), (), (), Totals(0, 0, 0, 0), mistake, training=False)


def _why(made: Construction | Begun) -> Refused:
    if isinstance(made, Construction):
        return refused(made)
    return Refused(
        f"a module must be begun before it takes layers: {made.kind.__name__}.__init__ does not",
        "super().__init__() in its first line",
        (),
    )


def _where(made: Construction | Begun) -> str:
    return made.where if isinstance(made, Construction) else f"{made.kind.__name__}.__init__"


class _Trial:
    """Building a net again, and running it.

    Attributes:
        made: where in the net last built the layers stand that were made otherwise.
    """

    def __init__(self, build: Build, given: Given | None) -> None:
        self._build, self._given = build, given
        self.made: frozenset[str] = frozenset()

    def __call__(self, edits: Sequence[Edit]) -> Exception | Explanation | None:
        """What building raises, or what is said of the net, or None where it is only built."""
        try:
            with constructed(edits) as made:
                net = self._build()
        except Exception as error:
            return error
        if self._given is None or not isinstance(net, nn.Module):
            return None
        from viewfinder.explain.explaining import explain

        self.made = frozenset(
            path for path, layer in net.named_modules() if any(layer is each for each in made)
        )
        return explain(net, *self._given(net), batched=True)


def _search(
    made: Construction | Begun, edits: tuple[Edit, ...], trial: _Trial, depth: int
) -> list[Offer]:
    offers = []
    for edit, says in _candidates(made):
        offer = _offer((*edits, edit), says, trial, depth, made)
        if offer is not None:
            offers.append(offer)
    best = sorted(offers, key=lambda offer: (not offer.whole, len(offer.says)))
    whole = [offer for offer in best if offer.whole]
    return whole or best


def _candidates(made: Construction | Begun) -> list[tuple[Edit, str]]:
    if isinstance(made, Begun):
        return [(made, f"super().__init__() first in {made.kind.__name__}.__init__")]
    found = []
    for changes in refused(made).changes:
        built = made.changed(changes)
        found.append((built, f"{built.text} instead of {made.text}"))
    return list({says: (edit, says) for edit, says in found}.values())


def _offer(
    edits: tuple[Edit, ...], says: str, trial: _Trial, depth: int, made: Construction | Begun
) -> Offer | None:
    result = trial(edits)
    if isinstance(result, Exception):
        following = construction(result)
        if following is None or _place(following) == _place(made) or depth < 2:
            return None
        chain = _search(following, edits, trial, depth - 1)
        if not chain:
            text = f"{says}; then it stops at {_where(following).split(',')[0]}"
            return Offer(edits, (says,), False, text)
        return _chained(edits, says, _where(following).split(",")[0], chain[0])
    if result is None:
        return Offer(edits, (says,), True, f"{says}; then it can be built")
    if result.mistake is None:
        return Offer(edits, (says,), True, f"{says}; then the whole net runs")
    place = result.mistake.where.split(",")[0]
    if not result.mistake.offers:
        return Offer(edits, (says,), False, f"{says}; then it stops at {place}")
    # A fix that makes anew what was just made otherwise would undo that.
    others = (each for each in result.mistake.offers if not _replaced(each, trial.made))
    further = next(others, None)
    if further is None:
        return None
    joined = Offer((*edits, *further.edits), further.says, further.whole, further.text)
    return _chained(edits, says, place, joined)


def _replaced(offer: Offer, paths: frozenset[str]) -> bool:
    """Whether a fix puts another layer in one of these places."""
    return any(isinstance(edit, Replace) and edit.path in paths for edit in offer.edits)


def _chained(edits: tuple[Edit, ...], says: str, place: str, chain: Offer) -> Offer:
    own = chain.edits if chain.edits[: len(edits)] == edits else (*edits, *chain.edits)
    text = f"{says}; then, at {place}, {chain.text}"
    return Offer(own, (says, *chain.says), chain.whole, text)


def _place(made: Construction | Begun) -> object:
    if isinstance(made, Begun):
        return made.kind
    return made.place, repr(made.args), repr(made.kwargs)


def _rebuilding(error: Exception) -> tuple[Build | None, str]:
    """The outermost class of the user's whose `__init__` failed, and its arguments."""
    found = error.__traceback__
    while found is not None:
        frame = found.tb_frame
        owner = frame.f_locals.get("self")
        if isinstance(owner, nn.Module) and is_users(frame.f_code.co_filename):
            kind = type(owner)
            made = inspect.getattr_static(kind, "__init__")
            if getattr(made, "__code__", None) is frame.f_code:
                return _of(kind, frame.f_locals), kind.__name__
        found = found.tb_next
    return None, ""


def _of(kind: type[nn.Module], local: dict[str, object]) -> Build | None:
    try:
        args, kwargs = _arguments(kind, local)
    except KeyError:
        return None
    return lambda: kind(*args, **kwargs)


def _arguments(kind: type[nn.Module], local: Kwargs) -> tuple[list[object], dict[str, object]]:
    args: list[object] = []
    kwargs: dict[str, object] = {}
    for name, parameter in list(inspect.signature(kind.__init__).parameters.items())[1:]:
        if parameter.kind is parameter.VAR_POSITIONAL:
            args += local[name]
        elif parameter.kind is parameter.VAR_KEYWORD:
            kwargs |= local[name]
        elif parameter.kind is parameter.KEYWORD_ONLY:
            kwargs[name] = local[name]
        else:
            args.append(local[name])
    return args, kwargs


def _alone(made: Construction) -> Build:
    """The layer alone, made at the same place."""

    def again() -> nn.Module:
        return made.kind(*made.args, **made.kwargs)

    return again

"""Numbers and shapes as a person reads them, the same in every view."""

from viewfinder.explain.explanation import ExplainedLayer, ReceptiveField, Shape, Totals, shape_text


def count_text(count: int) -> str:
    """A count in at most seven characters: 940, 9,408, 37.75M, 4.089G."""
    if count < 100_000:
        return f"{count:,}" if count else ""
    for unit, size in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("K", 10**3)):
        if count >= size:
            return f"{count / size:.4g}{unit}"
    return str(count)


def bytes_text(count: int) -> str:
    """Bytes with a unit: 802 kB, 3.2 MB."""
    if not count:
        return ""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"


def unused_text(totals: Totals) -> str:
    """The modules that take no part, the three largest: aux1 (2,048), head.bias (10)."""
    named = [f"{name} ({count:,})" for name, count in totals.unused]
    more = [f"{len(named) - 3} more"] if len(named) > 3 else []
    return ", ".join(named[:3] + more)


def field_text(field: ReceptiveField | None) -> str:
    """A receptive field in short: size/stride, or "all" where every position sees everything."""
    if field is None:
        return ""
    if field.whole:
        return "all"
    sizes, strides = set(field.size), {f"{stride:.3g}" for stride in field.stride}
    size = "×".join(map(str, field.size if len(sizes) > 1 else field.size[:1]))
    stride = "×".join(f"{s:.3g}" for s in (field.stride if len(strides) > 1 else field.stride[:1]))
    return f"{size}/{stride}"


def flow_text(layer: ExplainedLayer, batch: int) -> str:
    """Input → output shape, without the batch where every shape begins with it."""
    shapes = (*layer.inputs, *layer.outputs)
    batched = all(len(shape) > 1 and shape[0] == batch for shape in shapes)

    def text(shape: Shape) -> str:
        return shape_text(shape[1:] if batched else shape)

    ins = {text(shape) for shape in layer.inputs}
    many = len(layer.inputs)
    if many == 0:
        before = ""
    elif len(ins) == 1:
        before = ins.pop() if many == 1 else f"{many} of {ins.pop()}"
    else:
        before = f"{many} tensors"
    outs = [text(shape) for shape in layer.outputs]
    after = outs[0] + (f" +{len(outs) - 1}" if len(outs) > 1 else "") if outs else ""
    return f"{before} → {after}" if before else after

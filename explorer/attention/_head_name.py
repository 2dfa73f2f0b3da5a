"""Layer and head in words, for captions and titles."""

from __future__ import annotations


def head_name(layer: int | None, head: int | None) -> str:
    """Name of a layer and a head; None is the mean.

    >>> head_name(3, 5), head_name(3, None)
    ('layer 3, head 5', 'layer 3, mean over heads')
    >>> head_name(None, 5), head_name(None, None)
    ('mean over layers, head 5', 'mean over layers and heads')
    """
    if layer is None and head is None:
        return "mean over layers and heads"
    of_layer = "mean over layers" if layer is None else f"layer {layer}"
    return f"{of_layer}, {'mean over heads' if head is None else f'head {head}'}"

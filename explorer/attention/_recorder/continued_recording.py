"""The attention of a text whose beginning was recorded before, from a pass over its new end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from explorer.attention._recorder.capture import Capture
from explorer.attention._recorder.forward_pass import checked_inputs, run_recorded
from explorer.attention._recorder.key_masks import CausalMask, KeyMask, NoMask, RuleMask
from explorer.attention._recorder.layer_stacks import find_stacks
from explorer.attention._recorder.model_preparation import unwrap
from explorer.attention._recorder.recorded_attention import RecordedAttention
from explorer.attention._recorder.token_positions import TokenPositions
from explorer.run_control import RunControl


class CannotContinueError(Exception):
    """A model whose attention does not follow from the recorded beginning and the new end."""


def record_continued(
    model: Any,
    inputs: dict[str, Any],
    before: RecordedAttention | None,
    kept: int,
    control: RunControl,
) -> RecordedAttention:
    """Return the attention of a whole text from a pass over its tokens after the first `kept`.

    Parameters
    ----------
    model
        A causal transformers model, or an object with one as `torch_model`.
    inputs
        Arguments of `forward` for one text: `input_ids` of the new tokens, and as
        `past_key_values` a cache of exactly the first `kept` tokens.
    before
        The recording of a text with the same first `kept` tokens; None if `kept` is 0.
    kept
        Number of tokens that are not computed again.
    control
        Its cancel event stops the pass before the next layer.

    Returns
    -------
    RecordedAttention
        Square: every token of the text attends and is attended to.

    Raises
    ------
    CannotContinueError
        The model is not recorded, or has a mask or a bias that cannot be put together.
    Cancelled
        The cancel event was set.
    """
    module, arguments = unwrap(model), checked_inputs(inputs)
    captures: list[tuple[nn.Module, Capture]] = []
    positions = TokenPositions(module, arguments)
    if positions.notes:
        raise CannotContinueError("an adapter puts positions before the text")
    reason = run_recorded(
        module,
        arguments,
        lambda part, made: captures.append((part, made)),
        control,
        positions=positions,
    )
    if reason is not None:
        raise CannotContinueError(reason)
    stack = find_stacks(module, captures).main
    earlier = before.captures if before is not None and kept else (None,) * len(stack.captures)
    if len(earlier) != len(stack.captures):
        raise CannotContinueError("the number of recorded layers differs")
    joined = [_joined(old, new, kept) for old, new in zip(earlier, stack.captures, strict=True)]
    return RecordedAttention(joined, layer_numbers=stack.layer_numbers)


def _joined(before: Capture | None, new: Capture, kept: int) -> Capture:
    """Return one layer's capture of the whole text."""
    if new.bias is not None:
        raise CannotContinueError("a bias by position was added")
    query = new.query
    if before is not None:
        query = torch.cat([before.query[:, :, :kept], query], dim=2)
    if query.shape[2] != new.key.shape[2]:
        raise CannotContinueError("the layer keeps the keys of some tokens only")
    return replace(new, query=query, mask=_mask(before, new.mask))


def _mask(before: Capture | None, new: KeyMask) -> KeyMask:
    """Return the mask of all rows, given that of the new rows."""
    if isinstance(new, RuleMask):
        return new.from_first_query()
    if isinstance(new, CausalMask) and before is None:
        return new
    # A single row that sees all keys needs no mask; the rows before it have theirs.
    if isinstance(new, NoMask):
        return CausalMask() if before is None else before.mask
    raise CannotContinueError(f"its mask is a {type(new).__name__}")

"""One forward pass whose attention is recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from explorer.attention._attention_map import AttentionMap
from explorer.attention._recorder.attention_interface import IMPLEMENTATION
from explorer.attention._recorder.capture import Capture
from explorer.attention._recorder.language_head import LanguageHead
from explorer.attention._recorder.layer_stacks import StackPositions
from explorer.attention._recorder.model_preparation import (
    follows_interface,
    parameter_names,
    prepared,
    transformers_model,
    without_head,
)
from explorer.attention._recorder.recording import NeedsEagerError, Recording
from explorer.attention._recorder.token_positions import TokenPositions
from explorer.errors import InputError
from explorer.run_control import RunControl

# Callers pass these to get attention from the stock implementation; recording ignores them.
_OUTPUT_SWITCHES = ("output_attentions", "output_hidden_states", "return_dict")


def checked_inputs(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs without the switches that recording sets itself.

    Raises
    ------
    InputError
        There are no inputs, no batch dimension, or no tokens.
    """
    arguments = {name: value for name, value in inputs.items() if name not in _OUTPUT_SWITCHES}
    tensors = {name: value for name, value in arguments.items() if isinstance(value, Tensor)}
    for name in ("input_ids", "inputs_embeds", "decoder_input_ids"):
        if arguments.get(name) is not None and name not in tensors:
            raise InputError(
                f"{name} must be a torch tensor, but it is a {type(arguments[name]).__name__}. "
                f"Try torch.as_tensor({name})."
            )
    if not tensors:
        raise InputError(
            "There is nothing to run. Pass the inputs of the model, such as "
            "record_attention(model, **tokenizer(text, return_tensors='pt'))."
        )
    for name in ("input_ids", "inputs_embeds", "decoder_input_ids"):
        value = tensors.get(name)
        if value is None:
            continue
        if value.ndim != (3 if name == "inputs_embeds" else 2):
            raise InputError(
                f"{name} needs a batch dimension, (texts, tokens{', size' * (value.ndim == 2)}); "
                f"got shape {tuple(value.shape)}. Try {name}[None]."
            )
        if 0 in value.shape:
            raise InputError(f"{name} holds no tokens: its shape is {tuple(value.shape)}.")
    return arguments


def n_texts(arguments: dict[str, Any]) -> int:
    """Return the number of texts in the inputs."""
    for name in ("input_ids", "inputs_embeds", "decoder_input_ids"):
        if isinstance(arguments.get(name), Tensor):
            return int(arguments[name].shape[0])
    return 1


def run_recorded(
    module: nn.Module,
    arguments: dict[str, Any],
    keep: Callable[[nn.Module, Capture], None],
    control: RunControl,
    *,
    positions: TokenPositions,
    head: LanguageHead | None = None,
    holds: bool = True,
) -> str | None:
    """Run the model with recording attention; return None, or the reason why it cannot be recorded.

    Parameters
    ----------
    keep
        Called with each attention module and the inputs of its call.
    control
        Its cancel event stops the pass before the next layer.
    positions
        Where the tokens are, from before the pass.
    head
        Receives the logits; if None, the model runs without its language head.
    holds
        Whether `keep` stores what it is given beyond the pass.

    Raises
    ------
    InputError
        The module holds no transformers model.
    Cancelled
        The cancel event was set.
    """
    inner = transformers_model(module)
    if inner is None:
        raise InputError(
            f"{type(module).__name__} holds no transformers model, and only those can be recorded."
        )
    if not follows_interface(inner):
        return f"{type(inner).__name__} has no attention interface"
    calls = 0
    stacks = StackPositions(module) if positions.n_cached else None

    def counted(part: nn.Module, capture: Capture) -> None:
        nonlocal calls
        calls += 1
        if stacks is not None and not stacks.find(part)[0].cross:
            capture = positions.with_all_keys(capture)
        keep(part, capture)

    cached = arguments.get("past_key_values") is not None
    recording = Recording(counted, control, holds=holds, copy_keys=holds and cached)
    control.check()
    try:
        with prepared(module, IMPLEMENTATION, control), recording.active():
            run_forward(module, arguments, head)
    except NeedsEagerError as reason:
        return f"{type(inner).__name__} cannot be recorded: {reason}"
    return None if calls else f"{type(inner).__name__} did not call the attention interface"


def with_items(items: Sequence[AttentionMap]) -> AttentionMap:
    """Return the map of the first text, whose `batch` gives those of the others."""
    if len(items) > 1:
        for attention in items:
            attention._items = tuple(items)  # noqa: SLF001 - set once, by its maker
    return items[0]


def run_forward(
    module: nn.Module, arguments: dict[str, Any], head: LanguageHead | None, **switches: Any
) -> Any:
    """Run the model once, without its language head if `head` is None; return its outputs."""
    runner = without_head(module, arguments) if head is None else module
    call = dict(arguments)
    # With position ids and no cache, transformers reads a batch as packed texts, and by default,
    # with a cache, it does not: then the model's own default decides.
    if "past_key_values" not in call and call.get("position_ids") is None:
        call.setdefault("use_cache", False)
    if not isinstance(call.get("use_cache"), bool) or not _takes(runner, "use_cache"):
        call.pop("use_cache", None)
    try:
        if head is None:
            return runner(**call, **switches)
        with head.reduced_to_rows():
            outputs = runner(**call, **switches)
        head.take(outputs)
        return outputs
    except ValueError as error:
        inner = transformers_model(module)
        writes = inner is not None and bool(getattr(inner.config, "is_encoder_decoder", False))
        given = any(name.startswith("decoder_") or name == "labels" for name in arguments)
        if writes and not given and "input_ids" in str(error):
            raise InputError(
                "This model writes its answer with a decoder: pass decoder_input_ids too, "
                "the tokens it has written so far."
            ) from error
        raise


def _takes(module: nn.Module, name: str) -> bool:
    return name in parameter_names(type(module).forward)

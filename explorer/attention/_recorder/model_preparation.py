"""Settings of a model for one pass, restored afterwards."""

# ruff: noqa: SLF001 - hooks and the attention setting of one config have no public name

from __future__ import annotations

import inspect
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel

from explorer.errors import InputError
from explorer.run_control import RunControl

# Recordings of one model wait for each other, because they change and restore the same settings.
_locks: weakref.WeakKeyDictionary[nn.Module, threading.RLock] = weakref.WeakKeyDictionary()
_locks_lock = threading.Lock()


def unwrap(model: Any) -> nn.Module:
    """Return the torch module behind a model, its `torch_model`, or a compiled model.

    Raises
    ------
    InputError
        The object holds no torch module.
    """
    inner = model
    while not isinstance(inner, nn.Module) and hasattr(inner, "torch_model"):
        inner = inner.torch_model
    while isinstance(inner, nn.Module):
        # Of torch.compile(model), and of DataParallel and its like.
        original = getattr(inner, "_orig_mod", None)
        if original is None and not hasattr(inner, "config"):
            original = getattr(inner, "module", None)
        if not isinstance(original, nn.Module):
            break
        inner = original
    if not isinstance(inner, nn.Module):
        raise InputError(
            "record_attention needs a transformers model, or an object with one as `torch_model`; "
            f"got {type(model).__name__}."
        )
    return inner


def transformers_model(module: nn.Module) -> PreTrainedModel | None:
    """Return the outermost transformers model within a module (an adapter may wrap it)."""
    for part in module.modules():
        if isinstance(part, PreTrainedModel):
            return part
    return None


def follows_interface(model: PreTrainedModel) -> bool:
    """Return whether a model takes its attention function from the AttentionInterface."""
    return bool(type(model)._can_set_attn_implementation())


def without_head(module: nn.Module, inputs: dict[str, Any]) -> nn.Module:
    """Return the body of a language model if it records the same attention, else the model.

    The logits of the head take (tokens x vocabulary) numbers and are not part of the attention. The
    whole model is needed if an input is for the head, the caller hooked the outer model, or there
    is attention outside the body.
    """
    if not isinstance(module, PreTrainedModel) or module._forward_hooks:
        return module
    body = module.base_model
    if body is module or module._forward_pre_hooks or "forward" in vars(module):
        return module
    if not type(module).__name__.endswith(("ForCausalLM", "LMHeadModel", "ForMaskedLM")):
        return module
    accepted = parameter_names(type(body).forward)
    if any(name not in accepted for name in inputs):
        return module
    outside = _modules_outside(module, body)
    if any("attention" in type(part).__name__.lower() for part in outside):
        return module
    return body


@cache
def parameter_names(function: Callable[..., Any]) -> frozenset[str]:
    """Return the names of the parameters of a function."""
    return frozenset(inspect.signature(function).parameters)


def _modules_outside(module: nn.Module, body: nn.Module) -> list[nn.Module]:
    """Return the modules within a module, but not itself and not those within its body."""
    outside: list[nn.Module] = []
    waiting = list(module.children())
    while waiting:
        part = waiting.pop()
        if part is not body:
            outside.append(part)
            waiting += part.children()
    return outside


@contextmanager
def prepared(
    module: nn.Module, implementation: str, control: RunControl | None = None
) -> Iterator[None]:
    """Set an attention implementation, no dropout and no autograd; restore all on exit.

    Raises
    ------
    Cancelled
        The cancel event of `control` was set while another recording of the model ran.
    """
    parts = list(module.modules())  # once: a walk through a large model takes a millisecond
    configs = _configs(parts)
    with ExitStack() as undo:
        undo.enter_context(_only_one(module, control or RunControl()))
        for config in configs:
            undo.callback(_set, config, config._attn_implementation_internal)
            _set(config, implementation)
        # The flag itself: train() and eval() of some adapters also merge weights.
        for part in [part for part in parts if part.training]:
            undo.callback(setattr, part, "training", True)
            part.training = False
        if any(_compiled(part) for part in parts):
            undo.enter_context(torch.compiler.set_stance("force_eager"))
        undo.callback(_drop_new_hooks, _hook_numbers(parts))
        # Not inference_mode: tensors that a model caches in it could never take part in training.
        undo.enter_context(torch.no_grad())
        yield


def _compiled(part: nn.Module) -> bool:
    """Return whether a module, or the forward that was set on it, is compiled."""
    own = vars(part)
    return bool(
        own.get("_compiled_call_impl")
        or own.get("_orig_mod") is not None
        or "_orig_mod" in own.get("_modules", {})
        or hasattr(own.get("forward"), "_torchdynamo_orig_callable")
    )


def _set(config: PreTrainedConfig, implementation: str | None) -> None:
    # The property would also set sub-configs, which have values of their own.
    config._attn_implementation_internal = implementation


def _configs(parts: Sequence[nn.Module]) -> list[PreTrainedConfig]:
    """Return every config from which modules read their attention implementation."""
    found: dict[int, PreTrainedConfig] = {}
    refused: set[int] = set()
    for part in parts:
        config = vars(part).get("config")
        if isinstance(config, PreTrainedConfig):
            if isinstance(part, PreTrainedModel) and not follows_interface(part):
                refused.add(id(config))
            found[id(config)] = config
    return [config for number, config in found.items() if number not in refused]


def _hook_numbers(parts: Sequence[nn.Module]) -> list[tuple[nn.Module, set[int], bool]]:
    flag = "_output_capturing_hooks_installed"
    return [(part, set(part._forward_hooks), flag in vars(part)) for part in parts]


def _drop_new_hooks(before: list[tuple[nn.Module, set[int], bool]]) -> None:
    """Remove the hooks that transformers installs permanently for `output_attentions`."""
    for part, numbers, had_flag in before:
        for number in set(part._forward_hooks) - numbers:
            part._forward_hooks.pop(number, None)
        if not had_flag:
            vars(part).pop("_output_capturing_hooks_installed", None)


@contextmanager
def _only_one(module: nn.Module, control: RunControl) -> Iterator[None]:
    """Wait for other recordings of the same model; `control` can stop the wait."""
    inner = transformers_model(module)
    owner = module if inner is None else inner.base_model
    with _locks_lock:
        lock = _locks.setdefault(owner, threading.RLock())
    while not lock.acquire(timeout=0.1):
        control.check()
    try:
        yield
    finally:
        lock.release()

"""Temporary state of a model during one job: stop hooks and evaluation mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from explorer.run_control import RunControl


@contextmanager
def stoppable(torch_model: Any, control: RunControl) -> Iterator[None]:
    """Check for a stop before each layer, by hooks that are removed on exit.

    Without a cancel event no hooks are set.
    """
    if control.cancel is None:
        yield
        return
    from torch.nn import ModuleList

    def check(*_: Any) -> None:
        control.check()

    layers = [
        layer
        for module in torch_model.modules()
        if isinstance(module, ModuleList)
        for layer in module
    ]
    handles = [layer.register_forward_pre_hook(check) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def evaluating(torch_model: Any) -> Iterator[None]:
    """Switch dropout off in modules that are in training mode, and on again on exit."""
    training = [module for module in torch_model.modules() if module.training]
    for module in training:
        module.training = False  # the flag itself: train() and eval() of adapters do more
    try:
        yield
    finally:
        for module in training:
            module.training = True

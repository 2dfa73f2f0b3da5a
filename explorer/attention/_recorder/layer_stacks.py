"""Stacks of layers: the attention calls of a forward pass, grouped by their part in the model.

A pass may run several stacks: encoder and decoder, self- and cross-attention, a language model and
a vision tower. The paths of the attention modules distinguish them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from torch import nn

from explorer.attention._recorder.capture import Capture
from explorer.attention._recorder.model_preparation import transformers_model
from explorer.errors import RecordingError

_CROSS = re.compile(r"cross|enc_?dec|encoder_attn|encoder_attention", re.IGNORECASE)
_SIDE_TOWER = re.compile(r"vision|visual|image|video|audio|patch|qformer|perceiver", re.IGNORECASE)


@dataclass(frozen=True)
class StackKey:
    """Path of a stack of layers, and whether it is cross-attention."""

    path: str
    cross: bool

    @property
    def side_tower(self) -> bool:
        """Whether the stack processes images or audio, not text."""
        return _SIDE_TOWER.search(self.path) is not None


@dataclass
class Stack:
    """The attention calls of one stack, in call order."""

    key: StackKey
    numbers: list[int | None] = field(default_factory=list)
    captures: list[Capture] = field(default_factory=list)

    @property
    def layer_numbers(self) -> tuple[int, ...]:
        """The model's layer numbers; 0, 1, 2 ... if a layer runs several times."""
        numbers = [number for number in self.numbers if number is not None]
        if len(set(numbers)) < len(self.captures):
            return tuple(range(len(self.captures)))
        return tuple(numbers)


@dataclass(frozen=True)
class Stacks:
    """The stacks of one forward pass by role."""

    main: Stack
    encoder: Stack | None
    cross: Stack | None
    notes: tuple[str, ...]
    query_mask: str
    key_mask: str


class StackPositions:
    """Stack and layer number of each attention module of a model."""

    def __init__(self, module: nn.Module) -> None:
        self._paths = {id(part): path for path, part in module.named_modules()}

    def find(self, part: nn.Module) -> tuple[StackKey, int | None]:
        """Return the stack of an attention module and its layer number, if it has one.

        The path up to the first number names the stack: `model.layers` of `model.layers.7.attn`.
        """
        path = self._paths.get(id(part), "")
        steps = path.split(".")
        first = next((place for place, step in enumerate(steps) if step.isdigit()), None)
        cross = bool(getattr(part, "is_cross_attention", False)) or bool(
            _CROSS.search(f"{'.'.join(steps[first or 0 :])} {type(part).__name__}")
        )
        if first is None:
            return StackKey(path, cross), None
        return StackKey(".".join(steps[:first]), cross), int(steps[first])


def find_stacks(module: nn.Module, captures: Iterable[tuple[nn.Module, Capture]]) -> Stacks:
    """Group the attention calls of a pass into stacks.

    Raises
    ------
    RecordingError
        Layers of one stack have different numbers of heads or tokens.
    """
    places = StackPositions(module)
    stacks: dict[StackKey, Stack] = {}
    for part, capture in captures:
        key, number = places.find(part)
        stack = stacks.setdefault(key, Stack(key))
        stack.numbers.append(number)
        stack.captures.append(capture)
    for stack in stacks.values():
        shapes = {capture.shape for capture in stack.captures}
        if len(shapes) > 1:
            raise RecordingError(
                "The layers of this model differ in heads or tokens (heads, queries, keys: "
                f"{sorted(shapes)}), and one attention map cannot hold them."
            )
    return _roles(module, stacks)


def main_key(lengths: Mapping[StackKey, int]) -> StackKey:
    """Return the main stack: text before images, then the most layers."""
    return max(lengths, key=lambda key: (not key.side_tower, lengths[key]))


def _roles(module: nn.Module, stacks: Mapping[StackKey, Stack]) -> Stacks:
    self_attending = {key: stack for key, stack in stacks.items() if not key.cross}
    cross_attending = {key: stack for key, stack in stacks.items() if key.cross}
    chosen = self_attending or cross_attending
    main = chosen[main_key({key: len(stack.captures) for key, stack in chosen.items()})]
    encoder = cross = None
    if self_attending and cross_attending:
        lengths = {key: len(stack.captures) for key, stack in cross_attending.items()}
        cross = cross_attending[main_key(lengths)]
        main = self_attending.get(StackKey(cross.key.path, cross=False), main)
        n_keys = cross.captures[0].shape[2]
        others = [stack for stack in self_attending.values() if stack is not main]
        others.sort(key=lambda stack: stack.captures[0].shape[2] != n_keys)
        encoder = others[0] if others else None
    used = [stack for stack in (main, encoder, cross) if stack is not None]
    left = [key.path for key, stack in stacks.items() if not any(stack is one for one in used)]
    notes = []
    if left:
        notes.append(f"This is the attention of {main.key.path}; {', '.join(left)} ran as well.")
    numbers = main.layer_numbers
    if numbers != tuple(range(len(numbers))):
        known = ", ".join(str(number) for number in numbers)
        notes.append(
            f"Only some layers of this model have attention: layers 0 to {len(numbers) - 1} here "
            f"are its layers {known}."
        )
    inner = transformers_model(module)
    two_texts = inner is not None and bool(getattr(inner.config, "is_encoder_decoder", False))
    two_texts = two_texts and cross is not None
    return Stacks(
        main=main,
        encoder=encoder,
        cross=cross,
        notes=tuple(notes),
        query_mask="decoder_attention_mask" if two_texts else "attention_mask",
        key_mask="attention_mask" if two_texts else "encoder_attention_mask",
    )

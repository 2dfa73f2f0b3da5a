"""Models built from their configuration and filled from safetensors, with no global state.

`from_pretrained` sets the default dtype of torch, a device context and methods of transformers'
classes for the time of a load. All of them belong to the process: when two threads load, such as
the app in the background and a cell of the user's, one undoes what the other needs, and a model
ends on the meta device. What is here changes nothing that another thread sees.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from explorer.models._model_kind import ModelKind, auto_class
from explorer.run_control import RunControl

_FACTORIES = frozenset(
    {
        torch.arange,
        torch.as_tensor,
        torch.asarray,
        torch.empty,
        torch.eye,
        torch.full,
        torch.linspace,
        torch.logspace,
        torch.ones,
        torch.rand,
        torch.randn,
        torch.scalar_tensor,
        torch.tensor,
        torch.zeros,
    }
)
_RANDOM = (
    "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_", "orthogonal_", "sparse_",
    "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_",
)  # fmt: skip
_SKIPPED = frozenset(
    one
    for owner in (torch.Tensor, torch.nn.init)
    for one in (getattr(owner, name, None) for name in _RANDOM)
    if one is not None
)
# A cell that builds a model with all buffers on meta lasts seconds at most.
_WAIT_S = 0.05
_TRIES = 200


class _Building(TorchFunctionMode):
    """What this thread builds is on the CPU, float32 and without random numbers.

    Modes belong to a thread. A default dtype that another thread has set for its own load, or a
    default device, does not reach what is made here.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run a function of torch."""
        kwargs = dict(kwargs or {})
        if func in _SKIPPED:
            return args[0] if args else kwargs["tensor"]
        if func not in _FACTORIES:
            return func(*args, **kwargs)
        if func is torch.tensor and args and args[0] == []:
            # So transformers asks where a model is built; on meta it draws no random weights.
            return func([], device="meta")
        if kwargs.get("device") is None and not _has_tensor(args):
            kwargs["device"] = "cpu"
        made = func(*args, **kwargs)
        if kwargs.get("dtype") is None and not _has_tensor(args) and _is_other_float(made):
            return func(*args, **{**kwargs, "dtype": torch.float32})
        return made


def _has_tensor(args: Iterable[Any]) -> bool:
    return any(isinstance(one, torch.Tensor) for one in args)


def _is_other_float(made: Any) -> bool:
    return (
        isinstance(made, torch.Tensor)
        and made.is_floating_point()
        and (made.dtype != torch.float32)
    )


def read_model(
    folder: Path,
    settings: Any,
    kind: ModelKind,
    control: RunControl,
    advance: Callable[[float], None] = lambda fraction: None,
) -> tuple[Any, list[str]] | None:
    """Return the model of a folder in float32, and the names of weights that it lacks.

    Parameters
    ----------
    folder
        Holds ``model.safetensors``, or its parts with their index.
    settings
        The configuration, as transformers read it.
    kind
        Kind of the model.
    control
        Its cancel event is checked at every tensor.
    advance
        Called with the fraction of the tensors that was read.

    Returns
    -------
    tuple or None
        None where the names or shapes of the file are not those of the model: transformers can
        convert some of these.
    """
    files = _weight_files(folder)
    if not files or getattr(settings, "quantization_config", None) is not None:
        return None
    model_class = _model_class(kind, settings)
    if model_class is None:
        return None
    settings.dtype = torch.float32
    model = _built(model_class, settings, control)
    if model is None or _converts(model):
        return None
    places = _places(model)
    tensors: dict[str, torch.Tensor] = {}
    for done, (found, tensor) in enumerate(_tensors(files)):
        control.check()
        name = _name_in_model(found, places, model.base_model_prefix)
        if name is not None:
            if tensor.shape != places[name].shape:
                return None
            tensors[name] = tensor
        advance(min(1.0, (done + 1) / max(1, len(places))))
    for name, tensor in tensors.items():
        _put(model, name, tensor)
    _tie(model, tensors)
    missing = _missing(model, places, tensors)
    if any("pooler" not in name for name in missing):
        return None
    _fill(model, places, missing)
    _read_generation_settings(model, folder)
    return model.eval(), missing


def _weight_files(folder: Path) -> list[Path]:
    whole, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if whole.is_file():
        return [whole]
    if not index.is_file():
        return []
    names = json.loads(index.read_text("utf-8"))["weight_map"].values()
    # The index is data from outside: parts lie in the same folder.
    return [folder / Path(str(name)).name for name in sorted(set(names))]


def _model_class(kind: ModelKind, settings: Any) -> Any:
    """Return the class that an auto class would build; None if it would build none."""
    known = auto_class(kind)._model_mapping  # noqa: SLF001  # no public way
    if type(settings) not in known:
        return None
    found = known[type(settings)]
    if not isinstance(found, tuple):
        return found
    named = set(getattr(settings, "architectures", None) or ())
    return next((one for one in found if one.__name__ in named), found[0])


def _built(model_class: Any, settings: Any, control: RunControl) -> Any:
    """Return a model with empty weights and real buffers; None if its buffers stay on meta."""
    for _ in range(_TRIES):
        with _Building():
            model = model_class(settings)
        if not any(buffer.is_meta for buffer in model.buffers()):
            return model
        # Another thread builds a model with buffers on meta, by a patch of torch.nn.Module.
        control.check()
        time.sleep(_WAIT_S)
    return None


def _converts(model: Any) -> bool:
    """Whether transformers changes the weights of this model as it reads them."""
    from transformers import conversion_mapping

    conversion_of: Any = conversion_mapping.get_checkpoint_conversion_mapping
    names = (type(model).__name__, model.config.model_type)
    return any(conversion_of(name) is not None for name in names)


def _places(model: Any) -> dict[str, torch.Tensor]:
    """Return the weights and the buffers that files hold, by name."""
    kept: dict[str, torch.Tensor] = model.state_dict(keep_vars=True)
    return kept


def _tensors(files: Iterable[Path]) -> Iterable[tuple[str, torch.Tensor]]:
    from safetensors import safe_open

    for file in files:
        with safe_open(file, framework="pt", device="cpu") as opened:
            for name in opened.keys():  # noqa: SIM118  # not a mapping
                yield name, opened.get_tensor(name)


def _name_in_model(found: str, places: Mapping[str, Any], prefix: str) -> str | None:
    """Return the name that a tensor of the file has in the model; None if it has none.

    Files of a base model lack the prefix that a model with a head has, and the other way round;
    those of old BERT models call weight and bias of a normalisation gamma and beta.
    """
    for name in (found, f"{prefix}.{found}", found.removeprefix(f"{prefix}.")):
        for old, new in (("", ""), (".gamma", ".weight"), (".beta", ".bias")):
            if name.endswith(old):
                changed = name.removesuffix(old) + new if old else name
                if changed in places:
                    return changed
    return None


def _put(model: Any, name: str, tensor: torch.Tensor) -> None:
    """Set a weight or buffer by name; not by `register_parameter`, which others patch."""
    path, _, last = name.rpartition(".")
    owner = model.get_submodule(path)
    wanted = tensor.to(torch.float32) if tensor.is_floating_point() else tensor
    if last in owner._buffers:  # noqa: SLF001
        owner._buffers[last] = wanted  # noqa: SLF001
        return
    parameter = torch.nn.Parameter(wanted, requires_grad=wanted.is_floating_point())
    owner._parameters[last] = parameter  # noqa: SLF001


def _tie(model: Any, tensors: Mapping[str, torch.Tensor]) -> None:
    """Tie the weights that the configuration ties, as transformers does after reading."""
    for target, source in getattr(model, "all_tied_weights_keys", {}).items():
        if target in tensors and source in tensors:
            if not torch.equal(tensors[target], tensors[source]):
                continue
        elif target in tensors:
            target, source = source, target  # the one that is there counts
        path, _, last = target.rpartition(".")
        owner = model.get_submodule(path)
        owner._parameters[last] = model.get_parameter(source)  # noqa: SLF001


def _missing(
    model: Any, places: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]
) -> list[str]:
    """Return the names without a tensor, which are not tied to one that has it."""
    weights = [name for name in places if _is_parameter(model, name)]
    filled = {id(model.get_parameter(name)) for name in weights if name in tensors}
    return sorted(name for name in weights if id(model.get_parameter(name)) not in filled)


def _is_parameter(model: Any, name: str) -> bool:
    path, _, last = name.rpartition(".")
    return last in model.get_submodule(path)._parameters  # noqa: SLF001


def _fill(model: Any, places: Mapping[str, torch.Tensor], missing: Iterable[str]) -> None:
    """Give weights that files may lack (a pooler) random values, as transformers does."""
    random = torch.Generator().manual_seed(0)
    spread = float(getattr(model.config, "initializer_range", 0.02))
    for name in missing:
        values = torch.zeros(places[name].shape, dtype=torch.float32, device="cpu")
        if values.dim() > 1:
            values.normal_(0.0, spread, generator=random)
        _put(model, name, values)


def _read_generation_settings(model: Any, folder: Path) -> None:
    if model.can_generate() and (folder / "generation_config.json").is_file():
        kind = type(model.generation_config)
        model.generation_config = kind.from_pretrained(folder, local_files_only=True)

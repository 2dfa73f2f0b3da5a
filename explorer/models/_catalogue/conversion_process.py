"""A GGUF file becomes a folder of safetensors, in a process of its own.

    python -m explorer.models._catalogue.conversion_process KIND FILE.gguf FOLDER

transformers reads GGUF files through functions and settings that belong to the whole process; in a
process of its own nothing of the user's can come between. Standard output has one JSON object a
line: ``{"part": 0.5}`` for progress, at the end possibly ``{"error": "...", "of_disk": false}``.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

from explorer.models._catalogue.model_folder import first_line
from explorer.models._catalogue.transformers_logging import SilentBar, silenced
from explorer.models._model_kind import ModelKind, auto_class

Report = Callable[[float], None]


def main(arguments: Sequence[str]) -> int:
    """Convert a file; return the exit status."""
    kind, path, folder = arguments
    lines = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is no message

    def send(**message: Any) -> None:
        lines.write(json.dumps(message) + "\n")
        lines.flush()

    try:
        convert(cast("ModelKind", kind), Path(path), Path(folder), lambda part: send(part=part))
    except Exception as error:  # noqa: BLE001  # transformers raises errors of many libraries
        send(error=first_line(error), of_disk=isinstance(error, OSError))
        return 1
    return 0


def convert(kind: ModelKind, path: Path, folder: Path, report: Report) -> None:
    """Write the float32 model and the tokenizer of a GGUF file into a folder."""
    model, tokenizer = _unpack(kind, path, report)
    report(0.85)
    with silenced():
        tokenizer.save_pretrained(folder)
        model.save_pretrained(folder, max_shard_size="100GB")


def _unpack(kind: ModelKind, path: Path, report: Report) -> tuple[Any, Any]:
    report(0.0)
    import torch
    from transformers import AutoTokenizer, GgufConfig

    def advance(_: str, fraction: float | None) -> None:
        if fraction is not None:
            report(0.5 + 0.3 * fraction)

    with silenced(), _reading_once(advance):
        report(0.1)
        tokenizer = AutoTokenizer.from_pretrained(
            path.parent, gguf_file=path.name, local_files_only=True
        )
        report(0.3)
        # Without dequantising, every forward pass would unpack the weights.
        torch_model = auto_class(kind).from_pretrained(
            path.parent,
            gguf_file=path.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.float32,
            local_files_only=True,
        )
    return torch_model, tokenizer


@contextmanager
def _reading_once(advance: Callable[[str, float | None], None]) -> Iterator[None]:
    """Parse the GGUF file once in this context, and draw no progress bar.

    transformers parses the whole file (seconds for its vocabulary) for the tokenizer, the
    configuration and the weights, and builds the same table of names for each module. It looks the
    functions up at each use, so they can be replaced in this context.
    """
    import gguf
    from transformers import modeling_gguf_pytorch_utils as unpacking

    def bar(*args: Any, **kwargs: Any) -> SilentBar:
        return SilentBar(advance, *args, **kwargs)

    places: tuple[tuple[dict[str, Any], str, Callable[..., Any]], ...] = (
        (vars(gguf), "GGUFReader", functools.cache(gguf.GGUFReader)),
        (vars(gguf), "get_tensor_name_map", functools.cache(gguf.get_tensor_name_map)),
        (vars(unpacking), "tqdm", bar),
    )
    with ExitStack() as undo:
        for names, name, replacement in places:
            undo.callback(names.__setitem__, name, names[name])
            names[name] = replacement
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

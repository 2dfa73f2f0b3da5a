"""`/live`: a key typed at the end of a text, to its new map, beside a whole forward pass.

    .venv/bin/python benchmarks/live.py              # SmolLM2, 300 tokens, about two minutes
    .venv/bin/python benchmarks/live.py --keys 10

The service runs in this process behind a socket, with the model that the bare recorded forward
passes use; both take turns. The time of a key is from the message sent to the answer read, matrix
and feedback included, as a client sees it.
"""

from __future__ import annotations

import argparse
import json
import statistics
from functools import partial
from pathlib import Path
from typing import Any

from measuring import seconds
from websockets.sync.client import ClientConnection, connect

from explorer.models import DEFAULT_MODEL, Model, load_model
from explorer.service import ServiceSettings, start_service

ROOT = Path(__file__).resolve().parents[1]
SOURCE = (ROOT / "explorer" / "attention" / "_attention_map.py").read_text(encoding="utf-8")
TYPED = "result = total"


def text_of(model: Model, tokens: int) -> str:
    """Return code of about this many tokens, which ends where a line is begun."""
    end = int(model.tokenize(SOURCE[1000:]).offsets[tokens, 0])
    return SOURCE[1000 : 1000 + end] + "\n    "


class Editor:
    """A client that sends a text and reads the answer."""

    def __init__(self, socket: ClientConnection, want: list[str], form: str) -> None:
        self.socket, self.want, self.form = socket, want, form
        self.serial = 0
        self.answer: dict[str, Any] = {}

    def send(self, code: str) -> None:
        """Send a text and wait for all of its answer."""
        self.serial += 1
        message = {"kind": "code", "serial": self.serial, "code": code, "layer": 21}
        message |= {"want": self.want, "format": self.form}
        self.socket.send(json.dumps(message))
        self.answer = json.loads(self.socket.recv())
        if self.answer["kind"] != "attention":
            raise RuntimeError(self.answer["problem"]["detail"])
        if self.form == "binary" and "weights" in self.want:
            self.socket.recv()


def forward(model: Model, text: str) -> None:
    """Record a text as a whole, and read one map, as the answer does."""
    model.record(model.tokenize(text)).weights(21, None)


def measure(model: Model, address: str, tokens: int, keys: int) -> None:
    text = text_of(model, tokens)
    whole = model.tokenize(text)
    print(f"{DEFAULT_MODEL}, {len(whole)} tokens, {keys} keys\n")
    print("| answer | recorded forward | a key to its map | key / forward | known tokens |")
    print("| --- | --- | --- | --- | --- |")
    rows = [
        ("weights, binary", ["weights"], "binary"),
        ("weights, JSON", ["weights"], "json"),
        ("feedback of every line", ["feedback"], "json"),
    ]
    for name, want, form in rows:
        with connect(address, max_size=None) as socket:
            editor = Editor(socket, want, form)
            editor.send(text)
            editor.send(text + "x")
            of_key, of_forward = [], []
            for key in range(1, keys + 1):
                typed = text + (TYPED * keys)[:key]
                of_forward.append(seconds(partial(forward, model, typed)))
                of_key.append(seconds(partial(editor.send, typed)))
            ratio = statistics.median(k / f for k, f in zip(of_key, of_forward, strict=True))
            print(
                f"| {name} | {statistics.median(of_forward) * 1e3:.0f} ms "
                f"| {statistics.median(of_key) * 1e3:.0f} ms | {ratio:.2f} "
                f"| {editor.answer['reused']} of {len(editor.answer['tokens'])} |",
                flush=True,
            )


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    arguments.add_argument("--tokens", type=int, default=300)
    arguments.add_argument("--keys", type=int, default=14)
    arguments.add_argument("--threads", type=int, default=2)
    given = arguments.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    model = load_model(DEFAULT_MODEL)
    settings = ServiceSettings(port=0, model="model", extra_models={"model": model.name})
    with start_service(settings, load=lambda _: model) as service:
        address = service.url.replace("http", "ws") + "/live"
        measure(model, address, given.tokens, given.keys)


if __name__ == "__main__":
    main()

"""A loaded model: text to tokens, attention and answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from explorer.errors import InputError
from explorer.models.choices import Kind
from explorer.models.folder import kind_of
from explorer.models.limits import token_limit
from explorer.models.progress import Reporter
from explorer.models.running import stoppable
from explorer.models.tokens import TokenizedText, tokenize

if TYPE_CHECKING:
    from explorer.attention import AttentionMap


class Model:
    """A transformers model with its tokenizer.

    Made by `load_model`, or by `Model.wrap` from a pair that is loaded already.

    Attributes
    ----------
    name, label
        What `load_model` took, and what the app shows.
    kind
        ``"causal"``, ``"encoder"`` or ``"encoder-decoder"``.
    n_layers, n_heads
        As the configuration says; the attention map has the last word for hybrid models.
    max_tokens
        Most tokens of one forward pass, special tokens included.
    torch_model, tokenizer
        The transformers objects themselves.
    """

    def __init__(
        self,
        torch_model: Any,
        tokenizer: Any,
        *,
        name: str,
        label: str | None = None,
        kind: Kind | None = None,
    ) -> None:
        config = torch_model.config
        if hasattr(config, "get_text_config"):
            config = config.get_text_config()
        self.torch_model = torch_model
        self.tokenizer = tokenizer
        self.name = name
        self.label = label or name
        self.kind: Kind = kind or kind_of(torch_model.config)
        self.n_layers = int(config.num_hidden_layers)
        self.n_heads = int(config.num_attention_heads)
        self.max_tokens = token_limit(torch_model, tokenizer)
        self._running = threading.RLock()

    @classmethod
    def wrap(cls, torch_model: Any, tokenizer: Any, name: str | None = None) -> Model:
        """Wrap a transformers model and tokenizer that the caller has loaded.

        The model is left as it is: device, dtype and training mode are not changed.

        Raises
        ------
        InputError
            If these are not a transformers model and a tokenizer.
        """
        if not hasattr(torch_model, "config") or not callable(torch_model):
            raise InputError(
                "Model.wrap takes a transformers model first, but this "
                f"{type(torch_model).__name__} has no config."
            )
        if not callable(tokenizer) or not hasattr(tokenizer, "convert_ids_to_tokens"):
            raise InputError(
                "Model.wrap takes the model's tokenizer second, but this is a "
                f"{type(tokenizer).__name__}. AutoTokenizer.from_pretrained(...) makes one."
            )
        name = name or getattr(torch_model, "name_or_path", "") or type(torch_model).__name__
        return cls(torch_model, tokenizer, name=name)

    def __repr__(self) -> str:
        return (
            f"Model({self.name!r}, {self.kind}, {self.n_layers} layers, {self.n_heads} heads, "
            f"{self.max_tokens} tokens)"
        )

    def tokenize(self, text: str, start: int = 0) -> TokenizedText:
        """Tokenize a window of at most `max_tokens` tokens that begins at token `start`.

        Raises
        ------
        InputError
            If the text is empty or cannot be tokenized, or `start` lies outside it.
        """
        return tokenize(self.tokenizer, text, start=start, max_tokens=self.max_tokens)

    def record(
        self, tokenized: TokenizedText, cancel: threading.Event | None = None
    ) -> AttentionMap:
        """Run the model over a window of text and record its attention.

        Returns
        -------
        AttentionMap
            With the window's tokens. For an encoder-decoder the encoder's self-attention.

        Raises
        ------
        Cancelled
            If `cancel` was set; noticed between two layers.
        """
        from explorer.attention import record_attention

        with self.run(Reporter(cancel=cancel)) as torch_model:
            body = self.body
            inputs = self.tensors(tokenized.ids)
            if self.kind == "encoder-decoder":
                body = torch_model.get_encoder()
            else:
                inputs["use_cache"] = False
            if self.kind == "encoder":
                inputs.pop("use_cache")
            return record_attention(body, **inputs).with_tokens(tokenized.tokens)

    @property
    def body(self) -> Any:
        """The torch model without its language head, which attention does not need."""
        return getattr(self.torch_model, "base_model", self.torch_model)

    def tensors(self, ids: Sequence[int] | Any) -> dict[str, Any]:
        """``input_ids`` and ``attention_mask`` of one text, on the model's device."""
        import torch

        input_ids = torch.as_tensor(ids, dtype=torch.long, device=self.torch_model.device)[None]
        return {"input_ids": input_ids, "attention_mask": torch.ones_like(input_ids)}

    @contextmanager
    def run(self, reporter: Reporter) -> Iterator[Any]:
        """Hold the model for one job: one at a time, no gradients, stopped between layers."""
        import torch

        while not self._running.acquire(timeout=0.05):
            reporter.check()
        try:
            reporter.check()
            with torch.inference_mode(), stoppable(self.torch_model, reporter):
                yield self.torch_model
        finally:
            self._running.release()

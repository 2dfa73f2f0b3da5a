"""A loaded model: tokens, recorded attention and generated answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from explorer._deprecation import old_parameters, renamed_parameters
from explorer.errors import InputError
from explorer.models._loaded_model import shown_name, text_config
from explorer.models._model_kind import ModelKind, kind_of
from explorer.models._running.inference_state import evaluating, stoppable
from explorer.models._text.token_limits import token_limit
from explorer.models._text.tokens import TokenizedText, tokenize
from explorer.run_control import RunControl

if TYPE_CHECKING:
    from explorer.attention import AttentionMap
    from explorer.models._running.recorded_answer import RecordedAnswer
    from explorer.models._running.recorded_text import RecordedText
    from explorer.models._text.prompts import Message


class Model:
    """A transformers model with its tokenizer.

    Made by `load_model`, or by `Model.wrap` from a loaded pair.

    Attributes
    ----------
    name, label
        The name that `load_model` took, and the text that the app shows.
    kind
        ``"causal"``, ``"encoder"`` or ``"encoder-decoder"``.
    n_layers, n_heads
        From the configuration; a hybrid model's attention map may have fewer layers.
    max_tokens
        Most tokens of one forward pass, special tokens included.
    torch_model, tokenizer
        The transformers objects.
    """

    def __init__(
        self,
        torch_model: Any,
        tokenizer: Any,
        *,
        name: str,
        label: str | None = None,
        kind: ModelKind | None = None,
    ) -> None:
        config = text_config(torch_model)
        self.torch_model = torch_model
        self.tokenizer = tokenizer
        self.name = name
        self.label = label or name
        self.kind: ModelKind = kind or kind_of(torch_model.config)
        self.n_layers = int(config.num_hidden_layers)
        self.n_heads = int(config.num_attention_heads)
        self.max_tokens = token_limit(torch_model, tokenizer)
        self._running = threading.RLock()

    @classmethod
    def wrap(cls, torch_model: Any, tokenizer: Any, name: str | None = None) -> Model:
        """Return a `Model` of a transformers model and tokenizer that the caller has loaded.

        Device, dtype and training mode of the model stay. Of a path the last part is the label.

        Raises
        ------
        InputError
            If the arguments are not a transformers model and a tokenizer.
        """
        # DataParallel and its like hold the model as `module`.
        while not hasattr(torch_model, "config") and hasattr(torch_model, "module"):
            torch_model = torch_model.module
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
        try:
            return cls(torch_model, tokenizer, name=name, label=shown_name(name))
        except AttributeError as error:
            raise InputError(
                f"Model.wrap takes a text model of transformers, but this "
                f"{type(torch_model).__name__} is not one: {error}."
            ) from error

    def __repr__(self) -> str:
        return (
            f"Model({self.name!r}, {self.kind}, {self.n_layers} layers, {self.n_heads} heads, "
            f"{self.max_tokens} tokens)"
        )

    def tokenize(self, text: str, start: int = 0) -> TokenizedText:
        """Return a window of at most `max_tokens` tokens that begins at token `start`.

        Raises
        ------
        InputError
            If the text is empty or cannot be tokenized, or `start` lies outside it.
        """
        return tokenize(self.tokenizer, text, start=start, max_tokens=self.max_tokens)

    def record(
        self, tokenized: TokenizedText, cancel: threading.Event | None = None
    ) -> AttentionMap:
        """Return the attention of one forward pass over a window of text.

        Parameters
        ----------
        tokenized
            From `tokenize`.
        cancel
            Set it to stop before the next layer.

        Returns
        -------
        AttentionMap
            With the window's tokens. For an encoder-decoder the encoder's self-attention.

        Raises
        ------
        Cancelled
            If `cancel` was set.
        """
        from explorer.attention._recorder import record

        control = RunControl(cancel=cancel)
        with self.run(control) as torch_model:
            part = torch_model
            if self.kind == "encoder-decoder":
                part = torch_model.get_encoder()
            recorded = record(part, self.tensors(tokenized.ids), control=control)
        return recorded.with_tokens(tokenized.tokens)

    def record_batch(
        self, texts: Sequence[TokenizedText], *, control: RunControl | None = None
    ) -> list[RecordedText]:
        """Return attention and hidden states of several texts from one padded forward pass.

        A model whose numbers padding would change (found by a short test at the first batch of
        different lengths), or without an attention interface, reads one text after another.

        Parameters
        ----------
        texts
            Windows of text of similar length, from `tokenize`.
        control
            Its cancel event stops the pass before the next layer.

        Returns
        -------
        list of RecordedText
            One per text, in order; equal to a pass of its own up to rounding.

        Raises
        ------
        InputError, RecordingError
            If an entry is no `TokenizedText`, or the model returns no attention or hidden states.
        Cancelled
            If the cancel event of `control` was set.
        """
        from explorer.models._running.recorded_text import record_texts

        return record_texts(self, texts, control or RunControl())

    def generate(
        self,
        prompt: str | Sequence[Message],
        *,
        max_new_tokens: int = 64,
        on_text: Callable[[str], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> str:
        """Return greedily generated text.

        Parameters
        ----------
        prompt
            A string is continued. Messages (``{"role": ..., "content": ...}``) are rendered in the
            model's chat format and answered.
        max_new_tokens
            Most tokens to generate; fewer if the model's window ends before.
        on_text
            Called with each new piece of text.
        cancel
            Set it to stop before the next layer.

        Returns
        -------
        str
            The new text only, stripped.

        Raises
        ------
        ModelCapabilityError
            If the model is an encoder.
        InputError
            If the prompt does not fit.
        Cancelled
            If `cancel` was set.
        """
        from explorer.models._running.generation import generate

        return generate(
            self,
            prompt,
            max_new_tokens=max_new_tokens,
            on_text=on_text,
            control=RunControl(cancel=cancel),
        )

    @old_parameters(control=(RunControl, ("progress", "cancel")))
    def read(
        self,
        query: str,
        hyperedges: Sequence[str],
        answer: str | None = None,
        *,
        control: RunControl | None = None,
        on_text: Callable[[str], None] | None = None,
        keep_rows: bool = True,
        keep_tokens: bool = True,
        max_new_tokens: int = 48,
    ) -> RecordedAnswer:
        """Return the answer to a question and the attention that each hyperedge receives.

        The prompt lists one hyperedge per line before the question, in the model's chat format.
        The answer is generated unless it is given; then one recorded pass over prompt and answer
        gives the attention of the positions that predict the answer.

        Parameters
        ----------
        query, hyperedges
            The question, and the texts to answer it from.
        answer
            None to generate it.
        control
            Progress callback and cancel event.
        on_text
            Called with each new piece of a generated answer.
        keep_rows
            Keep the mass of each answer token; otherwise their mean.
        keep_tokens
            Keep the attention to single tokens too; otherwise attention is reduced layer by layer
            during the pass.
        max_new_tokens
            Most tokens of a generated answer.

        Returns
        -------
        RecordedAnswer
            Answer, prompt, tokens and attention.

        Raises
        ------
        ModelCapabilityError
            If an encoder would have to generate the answer.
        InputError
            If question or hyperedges are empty, or need more tokens than the model takes.
        ModelError
            If the model generates no text.
        Cancelled
            If the cancel event of `control` was set.
        """
        from explorer.models._running.recorded_answer import record_answer

        return record_answer(
            self,
            query,
            hyperedges,
            answer,
            control=control or RunControl(),
            on_text=on_text,
            keep_rows=keep_rows,
            keep_tokens=keep_tokens,
            max_new_tokens=max_new_tokens,
        )

    def tensors(self, ids: Sequence[int] | Any) -> dict[str, Any]:
        """Return ``input_ids`` and ``attention_mask`` of one text, (1, tokens), on the device."""
        import torch

        input_ids = torch.as_tensor(ids, dtype=torch.long, device=self.torch_model.device)[None]
        return {"input_ids": input_ids, "attention_mask": torch.ones_like(input_ids)}

    @renamed_parameters(control="reporter")
    @contextmanager
    def run(self, control: RunControl) -> Iterator[Any]:
        """Lend the torch model to one job at a time, without gradients and dropout.

        Raises
        ------
        Cancelled
            The cancel event of `control` was set; it is checked before each layer.
        """
        import torch

        while not self._running.acquire(timeout=0.05):
            control.check()
        try:
            control.check()
            with (
                torch.no_grad(),
                evaluating(self.torch_model),
                stoppable(self.torch_model, control),
            ):
                yield self.torch_model
        finally:
            self._running.release()

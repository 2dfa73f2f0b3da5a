"""Embeddings and attention of code, by one model."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from explorer.agent._analysis_results import AttentionAnalysis, CodeAnalysis, FailedAnalysis
from explorer.agent._code_batches import CodeBatch, read_analysis
from explorer.errors import InputError
from explorer.models._model_argument import (
    ModelArgument,
    as_model,
    check_layer_and_head,
    check_number,
)
from explorer.run_control import RunControl

if TYPE_CHECKING:
    from explorer.models import Model
    from explorer.tracking import MlflowTracker

DEFAULT: Final = "default"
"""Stands for the layer or head of the agent."""

Choice = int | None | Literal["default"]


class CodeAnalysisAgent:
    """Analyses code with one model: its embedding, and the attention between its tokens.

    Both come from one recorded forward pass. Several threads may share an agent; the model runs one
    pass at a time.

    Parameters
    ----------
    model
        A name for `explorer.load_model`, a `Model`, or a pair (torch model, tokenizer) of
        transformers: encoder, causal or encoder-decoder. None for the packaged
        SmolLM2-135M-Instruct. A name is loaded on first use.
    layer, head
        The attention that is read unless a call names another; negative numbers count from the end,
        None is the mean. By default the last layer, averaged over its heads.
    tracker
        Logs every analysis and every batch as a run; see `explorer.tracking.MlflowTracker`.

    Raises
    ------
    InputError
        The model, layer, head or tracker is of the wrong type.

    Examples
    --------
    >>> agent = CodeAnalysisAgent()  # doctest: +SKIP
    >>> agent.analyze("def area(r): return r * r").embedding.shape  # doctest: +SKIP
    (576,)
    """

    def __init__(
        self,
        model: ModelArgument = None,
        *,
        layer: int | None = -1,
        head: int | None = None,
        tracker: MlflowTracker | None = None,
    ) -> None:
        check_number(layer, "layer")
        check_number(head, "head")
        if not (
            tracker is None or (hasattr(tracker, "log_analysis") and hasattr(tracker, "log_batch"))
        ):
            raise InputError(
                f"The tracker must be an MlflowTracker or None, but it is {tracker!r}."
            )
        self.layer = layer
        self.head = head
        self.tracker = tracker
        self._argument = model if model is None or isinstance(model, str) else as_model(model)
        self._model: Model | None = None

    @property
    def model(self) -> Model:
        """The model; loaded when it is first read.

        Raises
        ------
        ModelError
            The model cannot be loaded.
        """
        if self._model is None:
            self._model = as_model(self._argument)
        return self._model

    def analyze(self, code: str, *, control: RunControl | None = None) -> CodeAnalysis:
        """Return the embedding of a piece of code.

        Parameters
        ----------
        code
            Source text in any language. If it is longer than the model takes, its beginning is
            read and `truncated` is True.
        control
            Its cancel event stops before the next layer.

        Raises
        ------
        InputError
            The code is empty or no string, or the agent's layer or head does not exist.
        ModelError, RecordingError
            The model cannot be loaded, or cannot be recorded.
        Cancelled
            The cancel event was set.
        """
        analysis = self._one(code, self.layer, self.head, False, control)
        if self.tracker is not None:
            self.tracker.log_analysis(analysis)
        return analysis

    def analyze_with_attention(
        self,
        code: str,
        layer: Choice = DEFAULT,
        head: Choice = DEFAULT,
        *,
        control: RunControl | None = None,
    ) -> AttentionAnalysis:
        """Return the embedding of a piece of code and the attention between its tokens.

        Parameters
        ----------
        code, control
            As for `analyze`.
        layer, head
            Numbers (negative counts from the end), or None for the mean over all; by default those
            of the agent.

        Raises
        ------
        InputError, ModelError, RecordingError, Cancelled
            As `analyze`.
        """
        layer, head = self._chosen(layer, head)
        analysis = self._one(code, layer, head, True, control)
        assert isinstance(analysis, AttentionAnalysis)  # noqa: S101 - for the type checker
        if self.tracker is not None:
            self.tracker.log_analysis(analysis)
        return analysis

    def analyze_many(
        self,
        codes: Iterable[str],
        *,
        attention: bool = False,
        layer: Choice = DEFAULT,
        head: Choice = DEFAULT,
        batch_size: int | None = None,
        control: RunControl | None = None,
    ) -> list[CodeAnalysis | FailedAnalysis]:
        """Return an analysis of each piece of code; those of like length share a forward pass.

        Parameters
        ----------
        codes
            Pieces of source text.
        attention
            Read the attention too: the entries are then `AttentionAnalysis`. It takes
            4 x tokens x tokens bytes for each piece of code.
        layer, head
            As for `analyze_with_attention`.
        batch_size
            Most pieces of code in one pass; None to let the device decide.
        control
            Its cancel event stops before the next layer; its callback hears of each pass.

        Returns
        -------
        list of CodeAnalysis or FailedAnalysis
            In the order of `codes`. An entry that cannot be analysed is a `FailedAnalysis` and does
            not affect the others.

        Raises
        ------
        InputError
            `codes` is a single string or no iterable, `batch_size` is not a whole number of at
            least 1, or the layer or head does not exist.
        ModelError
            The model cannot be loaded.
        Cancelled
            The cancel event was set.
        """
        if isinstance(codes, str | bytes):
            raise InputError("analyze_many takes a list of pieces of code, but this is one string.")
        if not isinstance(codes, Iterable):
            raise InputError(
                "analyze_many takes a list of pieces of code, but this is "
                f"{type(codes).__name__!r}."
            )
        whole = isinstance(batch_size, int | np.integer) and not isinstance(batch_size, bool)
        if batch_size is not None and (not whole or batch_size < 1):
            raise InputError(
                "batch_size must be a whole number of at least 1, the most pieces of code in one "
                f"pass, but it is {batch_size!r}."
            )
        control = control or RunControl()
        layer, head = self._chosen(layer, head)
        check_layer_and_head(self.model, layer, head)
        batch = CodeBatch(self.model, list(codes), layer, head, attention)
        analyses = batch.run(batch_size, control)
        if self.tracker is not None:
            model, (layer, head) = self.model, batch.choice
            self.tracker.log_batch(analyses, model=model.name, layer=layer, head=head)
        return analyses

    def _chosen(self, layer: Choice, head: Choice) -> tuple[int | None, int | None]:
        """Return layer and head of a call.

        A string other than "default" is refused by `check_layer_and_head`.
        """
        chosen: Any = (
            self.layer if layer == DEFAULT else layer,
            self.head if head == DEFAULT else head,
        )
        return chosen  # type: ignore[no-any-return]

    def _one(
        self,
        code: str,
        layer: int | None,
        head: int | None,
        attention: bool,
        control: RunControl | None,
    ) -> CodeAnalysis:
        model = self.model
        check_layer_and_head(model, layer, head)
        began = time.perf_counter()
        (recorded,) = model.record_batch([model.tokenize(code)], control=control)
        return read_analysis(model, recorded, layer, head, attention, began)

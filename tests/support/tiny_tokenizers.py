"""Tokenizers trained on a few lines, small enough to be made for every test."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

FACTS = (
    "The tower was designed by Gustave Eiffel.",
    "Gustave Eiffel was born in Dijon.",
    "Dijon is in Burgundy. ",
    "Mustard.",
)
ANSWERS = ("Dijon, of course", "in Burgundy", "he was born in Dijon, in Burgundy", "Mustard", "x")
FACTS_AND_ANSWERS = (*FACTS, *ANSWERS, "Facts: Question: Answer:")
CODE_AND_FACTS = (
    "def fibonacci(n): return n if n <= 1 else fibonacci(n - 1) + fibonacci(n - 2)",
    "The Eiffel Tower was designed by the company of Gustave Eiffel.",
    "Gustave Eiffel was born in Dijon. Facts: Question: Answer: what where who",
    "for item in items: print(item, sep=', ')",
)

# Chat formats that write the beginning-of-text token themselves.
BRACKET_CHAT = (
    "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)
MARKER_CHAT = (
    "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


def byte_level_tokenizer(
    lines: Iterable[str] = CODE_AND_FACTS,
    vocab_size: int = 400,
    *,
    bos: bool = True,
    **options: Any,
) -> Any:
    """Return byte-level BPE like GPT-2's and Llama 3's.

    Parameters
    ----------
    lines
        What it is trained on.
    vocab_size
        Number of tokens, ``<s>`` and ``</s>`` and the 256 bytes among them.
    bos
        Whether a text begins with ``<s>``.
    **options
        For `PreTrainedTokenizerFast`, such as ``chat_template``.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(list(lines), trainer)
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", 0)]
        )
        options["bos_token"] = "<s>"
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="</s>", pad_token="</s>", **options
    )


def word_piece_tokenizer(lines: Iterable[str] = CODE_AND_FACTS) -> Any:
    """Return uncased WordPiece like BERT's."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], show_progress=False
    )
    tokenizer.train_from_iterator(list(lines), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="[PAD]",
    )


def byte_tokenizer() -> Any:
    """Return a tokenizer with one token for each byte and no special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({entry: i for i, entry in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


class NumberTokenizer:
    """As much of a tokenizer as a `Model` looks at: token 7 is called "7", and no text is read."""

    chat_template = None

    def __call__(self, text: str, **_: Any) -> Any:
        raise AssertionError("nothing is tokenized here")

    def convert_ids_to_tokens(self, ids: Any) -> list[str]:
        return [str(one) for one in ids]

"""Tiny random models with tokenizers trained on a few lines, built once a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from explorer.models import Model, clear_models

_LINES = [
    "def fibonacci(n): return n if n <= 1 else fibonacci(n - 1) + fibonacci(n - 2)",
    "The Eiffel Tower was designed by the company of Gustave Eiffel.",
    "Gustave Eiffel was born in Dijon. Facts: Question: Answer: what where who",
    "for item in items: print(item, sep=', ')",
]
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tiny models are slower with threads."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def nothing_loaded():
    """No test profits from what another loaded."""
    clear_models()
    yield
    clear_models()


def byte_level_tokenizer(**options: Any) -> Any:
    """Byte-level BPE like GPT-2's and Llama 3's, with a beginning-of-text token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_LINES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 0)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>", **options
    )


def word_piece_tokenizer() -> Any:
    """Uncased WordPiece like BERT's."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], show_progress=False
    )
    tokenizer.train_from_iterator(_LINES, trainer)
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


def seeded(architecture: Any, config: Any) -> Any:
    """The same random weights whichever tests run before."""
    import torch

    torch.manual_seed(0)
    return architecture(config).eval()


@pytest.fixture(scope="session")
def tiny_llama() -> Any:
    """A random Llama: 3 layers, 4 heads, 256 positions."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=400,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return seeded(LlamaForCausalLM, config)


@pytest.fixture(scope="session")
def tiny_bert() -> Any:
    """A random BERT: 2 layers, 2 heads, 64 positions."""
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=300,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
    )
    return seeded(BertModel, config)


@pytest.fixture(scope="session")
def tiny_t5() -> Any:
    """A random T5: 2 layers, 2 heads."""
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=400,
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=2,
        num_heads=2,
        decoder_start_token_id=1,
        eos_token_id=1,
        pad_token_id=1,
    )
    return seeded(T5ForConditionalGeneration, config)


@pytest.fixture
def causal(tiny_llama: Any) -> Model:
    """A causal model without a chat template."""
    return Model.wrap(tiny_llama, byte_level_tokenizer(), name="tiny llama")


@pytest.fixture
def chat(tiny_llama: Any) -> Model:
    """The same with a chat template that writes the beginning-of-text token itself."""
    tokenizer = byte_level_tokenizer(chat_template=CHAT_TEMPLATE)
    return Model.wrap(tiny_llama, tokenizer, name="tiny chat")


@pytest.fixture
def encoder(tiny_bert: Any) -> Model:
    """An encoder with an uncased tokenizer."""
    return Model.wrap(tiny_bert, word_piece_tokenizer(), name="tiny bert")


@pytest.fixture
def translator(tiny_t5: Any) -> Model:
    """An encoder-decoder."""
    return Model.wrap(tiny_t5, byte_level_tokenizer(), name="tiny t5")


@pytest.fixture(scope="session")
def llama_folder(tiny_llama: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local folder as save_pretrained writes it."""
    folder = tmp_path_factory.mktemp("folders") / "tiny-llama"
    tiny_llama.save_pretrained(folder)
    byte_level_tokenizer(chat_template=CHAT_TEMPLATE).save_pretrained(folder)
    return folder

"""The endpoints for code give the numbers that explorer gives without a service."""

from __future__ import annotations

import base64
import io
import json
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load as load_safetensors

import explorer
from explorer.errors import MissingExtraError

from ...support.call_counter import count_calls

CODE = "def add(a, b):\n    return a + b"
ARROW = "application/vnd.apache.arrow.stream"


def posted(client, path, *, accept=None, **body):
    headers = {} if accept is None else {"Accept": accept}
    answer = client.post(path, json={"code": CODE, **body}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize(("layer", "head"), [(-1, None), (0, 1), (None, None), (1, -1)])
@pytest.mark.parametrize("name", ["tiny", "encoder"])
def test_attention_is_that_of_get_attention(client, load, name, layer, head) -> None:
    model = load({"tiny": "/models/llama", "encoder": "/models/bert"}[name])
    expected = explorer.get_attention(CODE, layer=layer, head=head, model=model)
    for path in ("/v1/get-attention", "/v1/analyze-with-attention", "/v1/analyze-attention"):
        found = posted(client, path, layer=layer, head=head, model=name).json()
        assert found["tokens"] == list(expected.tokens)
        np.testing.assert_allclose(found["attention"], expected.weights, atol=2e-6)
        assert found["model"] == name
        assert found["layer"] == (None if layer is None else layer % model.n_layers)
        assert found["head"] == (None if head is None else head % model.n_heads)


@pytest.mark.parametrize("path", ["/v1/get-attention", "/v1/analyze-with-attention"])
def test_binary_answers_hold_the_numbers_of_the_json(client, path) -> None:
    expected = posted(client, path).json()
    weights = np.array(expected["attention"], dtype=np.float32)

    npy = posted(client, path, accept="application/x-npy")
    assert npy.headers["content-type"] == "application/x-npy"
    np.testing.assert_array_equal(np.load(io.BytesIO(npy.content), allow_pickle=False), weights)

    tensors = load_safetensors(posted(client, path, accept="application/x-safetensors").content)
    np.testing.assert_array_equal(tensors["attention"], weights)

    stream = pa.ipc.open_stream(posted(client, path, accept=ARROW).content)
    table = stream.read_all()
    np.testing.assert_array_equal(np.stack(table["attention"].to_numpy()), weights)
    assert table["token"].to_pylist() == expected["tokens"]
    assert json.loads(stream.schema.metadata[b"layer"]) == expected["layer"] == 2


def test_the_tokens_are_in_the_metadata_of_safetensors(client, tmp_path) -> None:
    answer = posted(client, "/v1/analyze-attention", accept="application/x-safetensors")
    (tmp_path / "a.safetensors").write_bytes(answer.content)
    with safe_open(tmp_path / "a.safetensors", "np") as file:
        assert json.loads(file.metadata()["tokens"])[0] == "<s>"
        assert file.get_tensor("importance").shape == file.get_tensor("attention").shape[:1]


def test_a_window_is_a_part_of_the_whole(client) -> None:
    whole = posted(client, "/v1/get-attention", layer=1, head=3).json()
    part = posted(
        client, "/v1/get-attention", layer=1, head=3, rows=[-2, 10_000], columns=[1, 4]
    ).json()
    count = len(whole["tokens"])
    assert part["rows"] == [count - 2, count]
    assert part["columns"] == [1, 4]
    assert part["query_tokens"] == whole["tokens"][-2:]
    assert part["tokens"] == whole["tokens"][1:4]
    np.testing.assert_allclose(part["attention"], np.array(whole["attention"])[-2:, 1:4], atol=1e-6)


def test_an_empty_window_has_no_cells(client) -> None:
    assert posted(client, "/v1/get-attention", rows=[3, 3]).json()["attention"] == []
    assert posted(client, "/v1/get-attention", columns=[3, 2], rows=[0, 2]).json()["attention"] == [
        [],
        [],
    ]


def test_precision_limits_the_digits(client) -> None:
    exact = posted(client, "/v1/get-attention").json()["attention"]
    text = posted(client, "/v1/get-attention", precision=3).text
    short = json.loads(text)["attention"]
    np.testing.assert_array_equal(short, np.round(np.array(exact), 3))
    numbers = [number for row in short for number in row]
    assert max(len(repr(number)) for number in numbers) <= len("0.123")


def test_the_analysis_is_that_of_analyze_code_attention(client, causal) -> None:
    expected = explorer.analyze_code_attention(CODE, layer=1, head=2, model=causal)
    found = posted(client, "/v1/analyze-attention", layer=1, head=2).json()
    np.testing.assert_allclose(found["importance_by_position"], expected["importance"], atol=1e-6)
    assert found["error"] is None
    assert found["truncated"] is False
    assert found["n_tokens"] == expected["n_tokens"]
    picture = Image.open(io.BytesIO(base64.b64decode(found["visualization"])))
    assert picture.format == "PNG"
    assert len(picture.convert("RGB").getcolors(10_000)) > 5


def test_of_repeated_tokens_the_last_is_in_the_dictionary(client) -> None:
    found = posted(client, "/v1/analyze-attention", code="a b a b a").json()
    by_text = dict(zip(found["tokens"], found["importance_by_position"], strict=True))
    assert found["importance"] == by_text
    assert len(by_text) < len(found["tokens"]) == len(found["importance_by_position"])


def test_the_picture_is_left_out_where_it_cannot_be_drawn(client) -> None:
    missing = MissingExtraError("A PNG needs matplotlib.", extra="images")
    with patch("explorer.figures._attention.pixel_heatmap.require_extra", side_effect=missing):
        found = posted(client, "/v1/analyze-attention").json()
    assert found["visualization"] is None
    assert found["error"] == "A PNG needs matplotlib."
    assert found["attention"]


def test_the_embedding_is_the_mean_of_the_pass_that_is_recorded(
    client, causal, monkeypatch
) -> None:
    tokenized = causal.tokenize(CODE)
    with torch.no_grad():
        ids = torch.as_tensor(tokenized.ids)[None]
        hidden = causal.torch_model.base_model(input_ids=ids).last_hidden_state[0].numpy()
    expected = hidden[~tokenized.special].mean(axis=0)
    passes = count_calls(monkeypatch, "transformers.models.llama.modeling_llama.LlamaModel.forward")
    found = posted(client, "/v1/analyze").json()
    both = posted(client, "/v1/analyze-with-attention").json()
    np.testing.assert_allclose(found["embedding"], expected, atol=1e-5)
    assert both["embedding"] == found["embedding"]
    assert len(passes) == 2
    vector = posted(client, "/v1/analyze", accept="application/x-npy").content
    np.testing.assert_allclose(np.load(io.BytesIO(vector)), expected, atol=1e-5)


def test_code_longer_than_the_model_is_cut_and_the_answer_says_so(client, encoder) -> None:
    found = posted(client, "/v1/analyze-attention", code="x = 1\n" * 40, model="encoder").json()
    assert found["truncated"] is True
    assert len(found["tokens"]) == encoder.max_tokens == 64
    assert found["n_tokens"] > 64


@pytest.mark.parametrize(
    "path", ["/analyze", "/analyze-with-attention", "/analyze-attention", "/get-attention"]
)
def test_the_older_paths_give_the_same(client, path) -> None:
    older, newer = posted(client, path).json(), posted(client, f"/v1{path}").json()
    for answer in (older, newer):
        assert answer.pop("latency_ms") > 0
    assert older == newer


def test_the_examples_of_the_older_document_work_as_written(client) -> None:
    headers = {"Content-Type": "application/json"}
    first = client.post(
        "/analyze-with-attention",
        headers=headers,
        content='{"code": "def hello(): return \\"Hello, World!\\""}',
    )
    assert {"embedding", "tokens", "attention", "latency_ms"} <= set(first.json())
    second = client.post(
        "/analyze-attention", headers=headers, content='{"code": "class MyClass: pass"}'
    )
    fields = ("tokens", "attention", "importance", "visualization", "error")
    assert set(fields) <= set(second.json())

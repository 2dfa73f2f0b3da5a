"""The JavaScript client of docs/live, in a real browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pages import STALL_SECONDS
from playwright.sync_api import Browser, Route

from explorer.models import Model
from explorer.service import ServiceSettings, start_service

from ..support.tiny_models import language_model
from ..support.tiny_tokenizers import byte_level_tokenizer

CLIENT = Path(__file__).parents[2] / "docs" / "live" / "live_client.mjs"
TOKEN = "the-token-of-this-test"

ASK = """async ({ address, token, code, pin }) => {
  const { LiveClient } = await import("/live_client.mjs");
  const client = new LiveClient(address, token);
  const [older, found] = await Promise.all([
    client.ask("older", {}),
    client.ask(code, { want: ["weights", "row", "feedback"], layer: 1, head: 0, pin }),
  ]);
  const again = await client.ask(code, { want: ["feedback"] });
  const wrong = await client.ask(code, { layer: 99 }).catch((error) => error.message);
  client.close();
  const list = ({ shape, values }) => ({ shape, values: [...values] });
  return {
    older, wrong, tokens: found.tokens, units: again.feedback.map(({ unit }) => unit),
    weights: list(found.weights), row: list(found.row), pinned: found.pinned,
    pin: code.slice(...found.offsets[found.pinned]),
  };
}"""
REFUSED = """async ({ address }) => {
  const { LiveClient } = await import("/live_client.mjs");
  return new LiveClient(address, "wrong").ask("x").then(() => "", (error) => error.message);
}"""


@pytest.mark.parametrize("token", [None, TOKEN])
def test_the_client_asks_about_texts(browser: Browser, token: str | None) -> None:
    torch_model = language_model("llama", vocab_size=400, max_position_embeddings=256)
    model = Model.wrap(torch_model, byte_level_tokenizer(), name="/models/llama")
    settings = ServiceSettings(port=0, model="tiny", extra_models={"tiny": model.name}, token=token)
    code = "x = '😀'\nreturn x"
    with start_service(settings, load=lambda _: model) as service:
        context = browser.new_context()
        context.set_default_timeout(STALL_SECONDS * 1000)
        page = context.new_page()

        def serve(route: Route) -> None:
            route.fulfill(body=CLIENT.read_text("utf-8"), content_type="text/javascript")

        page.route("**/live_client.mjs", serve)
        page.goto(service.url)
        address = service.url.replace("http", "ws") + "/live"
        pin = len("x = '😀'\n".encode("utf-16-le")) // 2
        asked = {"address": address, "token": token, "code": code, "pin": pin}
        found = page.evaluate(ASK, asked)
        if token is not None:
            assert "needed" in page.evaluate(REFUSED, asked)
        context.close()
    tokenized = model.tokenize(code)
    weights = model.record(tokenized).weights(1, 0)
    assert found["older"] is None
    assert found["tokens"] == list(tokenized.tokens)
    assert found["weights"]["shape"] == list(weights.shape)
    np.testing.assert_allclose(found["weights"]["values"], weights.ravel(), atol=1e-6)
    np.testing.assert_allclose(found["row"]["values"], weights[found["pinned"]], atol=1e-6)
    assert found["pin"] == tokenized.tokens[found["pinned"]]
    assert found["units"] == ["line 1", "line 2"]
    assert "layer" in found["wrong"]

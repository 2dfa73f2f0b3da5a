"""Optional extras: the code and the package agree about their libraries."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest

from explorer import load_model
from explorer._extras import EXTRAS, require_extra
from explorer.errors import ExplorerError, MissingExtraError
from explorer.models import clear_models
from explorer.models._catalogue.packaged_models import PackagedModel

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
# Libraries that are imported under another name than they are installed under.
IMPORTED_AS = {"scikit-learn": "sklearn"}


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_package_offers_the_extra_with_these_libraries(extra: str) -> None:
    offered = tomllib.loads(PROJECT.read_text("utf-8"))["project"]["optional-dependencies"][extra]
    names = [re.match(r"[\w.-]+", requirement) for requirement in offered]
    modules = [IMPORTED_AS.get(name[0], name[0]) for name in names if name is not None]
    assert sorted(modules) == sorted(EXTRAS[extra])


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_missing_library_is_named_with_the_command_that_installs_it(
    extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_extra(extra, "This test")
    hidden = EXTRAS[extra][0]
    monkeypatch.setitem(sys.modules, hidden, None)
    with pytest.raises(MissingExtraError) as raised:
        require_extra(extra, "This test")
    assert str(raised.value).startswith(f"This test needs {hidden}.")
    assert f'pip install "attention-explorer[{extra}]"' in str(raised.value)
    assert (raised.value.extra, raised.value.missing) == (extra, (hidden,))
    assert isinstance(raised.value, ExplorerError)
    assert isinstance(raised.value, ImportError)


def test_the_default_model_names_the_extra_before_it_converts_anything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packaged = tmp_path / "model.gguf"
    packaged.write_bytes(b"GGUF")
    monkeypatch.setattr(PackagedModel, "locate", lambda self: packaged)
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, "accelerate", None)
    clear_models()
    with pytest.raises(MissingExtraError, match="SmolLM2-135M-Instruct comes as a GGUF file"):
        load_model("SmolLM2-135M-Instruct")
    assert not (tmp_path / "cache").exists()

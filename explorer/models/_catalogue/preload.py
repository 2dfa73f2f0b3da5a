"""Imports that take seconds, done before anybody waits for them."""

from __future__ import annotations


def import_libraries() -> None:
    """Import what loading a model will need; errors wait for the load that meets them."""
    try:
        import torch  # noqa: F401
        from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: F401
        from transformers.models.llama import modeling_llama  # noqa: F401
    except Exception:  # noqa: BLE001  # an import fails in as many ways as there are packages
        return

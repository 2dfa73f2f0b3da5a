"""Imports that take seconds, done in advance."""

from __future__ import annotations


def import_libraries() -> None:
    """Import the libraries that loading a model needs; errors are left to that load."""
    try:
        import torch  # noqa: F401
        from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: F401
        from transformers.models.llama import modeling_llama  # noqa: F401
    except Exception:  # noqa: BLE001  # the import of a library can raise any error
        return

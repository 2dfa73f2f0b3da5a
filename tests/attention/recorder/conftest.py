from __future__ import annotations

import pytest
import torch

from ...support.tiny_models import VOCABULARY


@pytest.fixture
def token_ids():
    """Two texts of 20 tokens without padding."""
    return torch.randint(3, VOCABULARY, (2, 20), generator=torch.Generator().manual_seed(1))

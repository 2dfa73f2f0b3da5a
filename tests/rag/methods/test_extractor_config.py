"""What the extractor can be told, and what it refuses."""

from __future__ import annotations

import pytest

from explorer.errors import InputError
from explorer.feedback import FeedbackPolicy
from explorer.rag._methods.extractor_config import ExtractorConfig


def test_the_defaults_are_those_of_the_reference():
    config = ExtractorConfig()
    assert config.method == "embedding"
    assert (config.attention_threshold, config.similarity_threshold) == (0.1, 0.7)
    assert config.citation_threshold == 0.8
    assert config.attention_policy == FeedbackPolicy(0.1, 1.0, 0.3, 0.5)
    assert config.similarity_policy == FeedbackPolicy(0.7, 1.0, 0.3, 0.5)
    assert dict(config.ensemble_weights) == {"attention": 0.5, "embedding": 0.3, "citation": 0.2}


def test_a_mapping_becomes_a_config_and_a_config_stays_itself():
    config = ExtractorConfig.of({"method": "hybrid", "layer": -1, "hybrid_citation": 0.5})
    assert (config.method, config.layer, config.hybrid_citation) == ("hybrid", -1, 0.5)
    assert ExtractorConfig.of(config) is config
    assert ExtractorConfig.of(None) == ExtractorConfig()


def test_weights_that_are_left_out_are_nothing():
    config = ExtractorConfig(ensemble_weights={"embedding": 2})
    assert dict(config.ensemble_weights) == {"attention": 0.0, "embedding": 2.0, "citation": 0.0}


def test_a_misspelt_key_is_answered_with_the_right_one():
    with pytest.raises(InputError, match="Did you mean 'attention_threshold'"):
        ExtractorConfig.of({"attention_treshold": 0.2})
    with pytest.raises(InputError, match="no setting '3'"):
        ExtractorConfig.of({3: 0.2})


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"method": "magic"}, "no method 'magic'"),
        ({"method": "ensembl"}, "Did you mean 'ensemble'"),
        ({"method": ["embedding"]}, "no method"),
        ({"similarity_threshold": 1.5}, "`similarity_threshold`"),
        ({"citation_threshold": "high"}, "`citation_threshold`"),
        ({"hybrid_citation": None}, "`hybrid_citation`"),
        ({"positive_feedback": 0.2}, "negative <= neutral <= positive"),
        ({"neutral_feedback": float("nan")}, "Neutral must be a number"),
        ({"layer": "last"}, "`layer` must be a whole number"),
        ({"head": True}, "`head` must be a whole number"),
        ({"reduction": "sum"}, "no reduction 'sum'"),
        ({"normalisation": 3}, "no normalisation 3"),
        ({"top_k": 0}, "must be 1 or more"),
        ({"ensemble_weights": {"magic": 1}}, "ensemble_weights"),
        ({"ensemble_weights": [0.5, 0.5]}, "ensemble_weights"),
        ({"ensemble_weights": {"citation": -1}}, "weight of citation"),
        ({"ensemble_weights": {"citation": 10**400}}, "weight of citation"),
        ({"ensemble_weights": {"citation": 0}}, "above 0"),
        ({"ensemble_weights": {}}, "above 0"),
        ("attention", "must be a mapping"),
        (["method"], "must be a mapping"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(config, words):
    with pytest.raises(InputError, match=words):
        ExtractorConfig.of(config)

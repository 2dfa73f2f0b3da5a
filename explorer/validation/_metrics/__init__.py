"""Measures of scores: confusion, ranking, head quality, bias."""

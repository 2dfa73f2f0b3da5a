"""Measures of scores: calls at a threshold, ranking, quality of heads, bias."""

"""Attention for traces without any: a stand-in model reads them."""

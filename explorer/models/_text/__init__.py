"""Text as a model reads it: tokens, prompts, and the positions of texts in them."""

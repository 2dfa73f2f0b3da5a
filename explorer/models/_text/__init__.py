"""Text for a model: tokens, prompts and their positions."""

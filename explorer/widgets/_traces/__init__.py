"""The RAG traces tab."""

"""RAGBench rows.

The hyperedges are the *sentences* of the retrieved documents, because the annotations are about
sentences: ``all_utilized_sentence_keys`` names those that the response uses, and becomes the
label; ``all_relevant_sentence_keys`` names those that the question needs, and is kept as
``extra["relevant"]``. A label per document would be coarse: one used sentence of twenty would make
the other nineteen count as used. Sentence keys (``0a``, ``0b``, ``1a`` ...) begin
with the number of the document and are the ids; ``extra["document"]`` is that number.

A row without sentences has its documents as hyperedges, with the numbers as ids, and a document
counts as utilised if any sentence of it is.

Scores, explanations and everything else of the row stay in `extra`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from explorer.traces._model.trace import Hyperedge, Trace
from explorer.traces.readers._fields.contexts import context_hyperedges
from explorer.traces.readers._fields.record_fields import Fields, identifier, places, shown, text_of
from explorer.traces.readers._reader import Reader
from explorer.traces.readers._samples.sample_records import sample_by_sample

_UTILISED = "all_utilized_sentence_keys"
_RELEVANT = "all_relevant_sentence_keys"
_TELLING = frozenset({"documents_sentences", _UTILISED, _RELEVANT, "sentence_support_information"})
_DOCUMENT = re.compile(r"\d+")


def _recognises(value: Mapping[str, Any]) -> bool:
    """Say whether a record is a row of RAGBench."""
    return "question" in value and "documents" in value and not _TELLING.isdisjoint(value)


def _trace(fields: Fields) -> Trace:
    """Read one row."""
    query = fields.needed_text("question")
    documents = fields.items("documents")
    sentences = fields.items("documents_sentences")
    utilised, relevant = _keys(fields, _UTILISED), _keys(fields, _RELEVANT)
    if sentences:
        hyperedges = _sentences(sentences, fields)
        named = {edge.id for edge in hyperedges}
        unknown = sorted((utilised or set()) - named)
        if unknown:
            fields.note(
                f"`{_UTILISED}` names {len(unknown)} keys that no sentence has: "
                f"{', '.join(shown(key) for key in unknown[:3])}."
            )
        fields.put_back("documents", documents)
    else:
        names = range(len(documents or []))
        hyperedges = context_hyperedges(documents or [], fields, names)
        utilised, relevant = _documents(utilised), _documents(relevant)
    for edge in hyperedges:
        edge.label = None if utilised is None else edge.id in utilised
        if relevant is not None:
            edge.extra["relevant"] = edge.id in relevant
    return fields.trace("ragbench", query, hyperedges, fields.text("response"))


def _keys(fields: Fields, name: str) -> set[str] | None:
    """Return the sentence keys under a name; the field is kept."""
    found = fields.items(name)
    fields.put_back(name, found)
    return None if found is None else {key for item in found if (key := identifier(item))}


def _documents(keys: set[str] | None) -> set[str] | None:
    """Return the numbers of the documents that sentence keys belong to."""
    if keys is None:
        return None
    return {str(int(found[0][:9])) for key in keys if (found := _DOCUMENT.match(key))}


def _sentences(documents: list[Any], fields: Fields) -> list[Hyperedge]:
    """Make one hyperedge of each sentence of each document."""
    hyperedges = []
    broken = []
    for number, document in enumerate(documents):
        for sentence in document if isinstance(document, list | tuple) else [document]:
            pair = sentence if isinstance(sentence, list | tuple) and len(sentence) == 2 else ()
            key, text = [*map(text_of, pair)] or (None, None)
            if key and text is not None:
                hyperedges.append(Hyperedge(key, text, extra={"document": number}))
            else:
                broken.append(number + 1)
    if broken:
        fields.note(
            f"{len(broken)} sentences are not a pair of a key and a text and were left out "
            f"(document {places(sorted(set(broken)))})."
        )
    return hyperedges


READER = Reader("ragbench", "RAGBench", _recognises, sample_by_sample(_trace))

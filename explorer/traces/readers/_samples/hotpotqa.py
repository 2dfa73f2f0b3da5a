"""HotpotQA questions, and other data sets of its layout, such as 2WikiMultihopQA.

One hyperedge is one paragraph under its title. It is labelled as needed when a supporting fact
names a sentence of it; which sentences is kept as ``extra["supporting_sentences"]``, and the
sentences themselves as ``extra["sentences"]``, since the text joins them. The title is its entity.
Questions of the test set have no supporting facts, and no labels.

The answer is the reference answer, since there is none of a system.

Two layouts are read: pairs, as the original files have them (``[title, sentences]`` and
``[title, sentence number]``), and columns, as the Hugging Face data set has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from explorer.errors import TraceError
from explorer.traces._model.native_format import kind_of
from explorer.traces._model.trace import Hyperedge, Trace
from explorer.traces.readers._fields.record_fields import (
    Fields,
    places,
    shown,
    structure,
    text_of,
    titled,
)
from explorer.traces.readers._reader import Reader
from explorer.traces.readers._samples.sample_records import sample_by_sample


def _recognises(value: Mapping[str, Any]) -> bool:
    """Say whether a record is a question with paragraphs, or with the facts that support it."""
    if "question" not in value or "context" not in value or "hyperedges" in value:
        return False
    return "supporting_facts" in value or ("_id" in value and _has_paragraphs(value["context"]))


def _has_paragraphs(context: object) -> bool:
    """Say whether a context begins with a paragraph."""
    if isinstance(context, dict):
        return "title" in context and "sentences" in context
    first = context[0] if isinstance(context, list) and context else None
    return isinstance(first, list) and len(first) == 2 and isinstance(first[1], list)


def _trace(fields: Fields) -> Trace:
    """Read one question."""
    query = fields.needed_text("question")
    hyperedges = _paragraphs(fields)
    name, facts = fields.take("supporting_facts")
    fields.put_back(name, facts)
    if facts is not None:
        _support(hyperedges, structure(facts), fields)
    answer = fields.text("answer")
    return fields.trace("hotpotqa", query, hyperedges, None, answer, identified=("_id", "id"))


def _paragraphs(fields: Fields) -> list[Hyperedge]:
    """Make one hyperedge of each paragraph."""
    name, context = fields.take("context")
    hyperedges = []
    broken = []
    for place, (title, value) in enumerate(_pairs(name, context, "sentences"), start=1):
        held = structure(value)
        sentences = [held] if isinstance(held, str) else held
        texts = [text_of(item) for item in sentences] if isinstance(sentences, list) else [None]
        if None in texts:
            broken.append(place)
            continue
        called = text_of(title)
        hyperedges.append(
            Hyperedge(
                f"c{place}",
                titled(called, _joined([text for text in texts if text is not None])),
                entities=[called] if called else [],
                extra={"sentences": texts},
            )
        )
    if broken:
        fields.note(f"paragraph {places(broken)} is not a title with sentences and was left out.")
    return hyperedges


def _support(hyperedges: list[Hyperedge], facts: object, fields: Fields) -> None:
    """Label the paragraphs that supporting facts name, all others as not needed."""
    named: dict[str, list[Hyperedge]] = {}
    for edge in hyperedges:
        edge.label = False
        edge.extra["supporting_sentences"] = []
        for title in edge.entities:
            named.setdefault(title, []).append(edge)
    absent: dict[str, None] = {}
    beyond: dict[str, None] = {}
    for title, number in _pairs("supporting_facts", facts, "sent_id"):
        called = text_of(title)
        paragraphs = named.get(called, []) if called is not None else []
        if not paragraphs:
            absent[shown(title)] = None
        for edge in paragraphs:
            edge.label = True
            if _is_place(number) and 0 <= number < len(edge.extra["sentences"]):
                edge.extra["supporting_sentences"].append(int(number))
            else:
                beyond[shown(title)] = None
    if absent:
        fields.note(f"supporting facts name paragraphs that are not there: {_some(absent)}.")
    if beyond:
        fields.note(
            f"supporting facts name sentences that are not in their paragraph: {_some(beyond)}."
        )
    twice = {shown(title): None for title, edges in named.items() if len(edges) > 1}
    if twice:
        fields.note(f"several paragraphs have one title, and one label: {_some(twice)}.")


def _pairs(name: str, value: object, second: str) -> Iterator[tuple[Any, Any]]:
    """Go through pairs of a title and something, in whichever layout they are.

    Raises
    ------
    TraceError
        The value is in neither.
    """
    held = structure(value)
    if isinstance(held, dict):
        titles, others = structure(held.get("title")), structure(held.get(second))
        if not isinstance(titles, list) or not isinstance(others, list):
            raise TraceError(f"`{name}` needs two lists, `title` and `{second}`.")
        if len(titles) != len(others):
            raise TraceError(
                f"`{name}` has {len(titles)} of `title` and {len(others)} of `{second}`; "
                "there must be as many of both."
            )
        yield from zip(titles, others, strict=True)
    elif isinstance(held, list):
        for item in held:
            if isinstance(item, dict):
                yield item.get("title"), item.get(second)
            else:
                pair = isinstance(item, list | tuple) and len(item) == 2
                yield (item[0], item[1]) if pair else (None, None)
    else:
        raise TraceError(f"`{name}` must be a list or an object, and here it is {kind_of(held)}.")


def _joined(sentences: list[str]) -> str:
    """Put sentences together; the original files keep the space before each but the first."""
    text = ""
    for sentence in sentences:
        gap = " " if text and not text[-1].isspace() and not sentence[:1].isspace() else ""
        text += gap + sentence
    return text.strip()


def _is_place(number: object) -> bool:
    """Say whether a sentence number is one."""
    return (
        isinstance(number, int | float) and not isinstance(number, bool) and number == number // 1
    )


def _some(names: Mapping[str, None]) -> str:
    """Write the first few of many names."""
    few = ", ".join(list(names)[:3])
    return few + (f" and {len(names) - 3} more" if len(names) > 3 else "")


READER = Reader("hotpotqa", "HotpotQA", _recognises, sample_by_sample(_trace))

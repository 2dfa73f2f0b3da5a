"""Entities of a hyperedge whose file names none: names, quoted names and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from explorer.traces import Hyperedge

MOST = 8
"""Largest number of entities of one text."""

_LONGEST = 20_000
_QUOTED = re.compile(r'"([^"\n]{2,60})"|“([^”\n]{2,60})”|«([^»\n]{2,60})»|「([^」\n]{2,60})」')
_WORD = re.compile(r"\d+(?:[.,:]\d+)*%?|(?:[^\W\d_]\.){2,}|[^\W\d_]\w*(?:['\u2019&-]\w+)*")
_POSSESSIVE = re.compile(r"['\u2019]s?$")
_ENDS = frozenset(".!?…\n:;")
# Small words within a name: Strait of Gibraltar, Ludwig van Beethoven.
_LINKS = frozenset(["of", "de", "del", "da", "di", "du", "des", "van", "von", "es", "al", "y"])
_AFTER_LINKS = frozenset(["the", "la", "las", "le", "les", "los", "der", "den"])
# A full stop after these, or after a single letter, does not end a sentence.
_SHORT = frozenset(["dr", "mr", "mrs", "ms", "st", "prof", "jr", "sr", "mt", "no"])
# Words that may begin a sentence or be in capitals without being names.
_COMMON = frozenset(
    """
    a about above according across after afterwards again against all almost along already also
    although always among an and another any anybody anyone anything are as at away because been
    before behind being below beneath beside besides between both but by can change could did
    do does down during each earlier either else even ever every everybody everyone few finally
    first for four from further had half has have he hence her here hers him his how however i if in
    indeed inside instead into is it its itself last later less like many may maybe me meanwhile
    might more most much must my near nearly neither never next no nobody none nor not nothing now
    of off often on once one only onto or other others our out outside over perhaps please second
    see several shall she should similarly since six so some somebody someone something sometimes
    soon still such than that the their them then there therefore these they third this those though
    three through throughout thus to today together too towards two under unlike until up upon us
    usually very was we were what when whenever where whereas whether which while who whoever whose
    why will with within without would yes yet you your
    """.split()  # noqa: SIM905  # words are read as text
)


def entities_of(hyperedge: Hyperedge) -> list[str]:
    """Return the entities of a hyperedge.

    These are the entities of the file. Where it has none, they are found in the text by a rule for
    languages that capitalise names:

    * text in double quotation marks;
    * runs of words that begin with a capital, with small words such as *of* and *van* between two
      of them and a number after them (*Line 6*); a common word that begins a sentence is left out;
    * other numbers.

    Each is returned once, ignoring case, in the order of the text; at most `MOST`.

    Parameters
    ----------
    hyperedge
        The hyperedge.

    Returns
    -------
    list of str

    Examples
    --------
    >>> entities_of(Hyperedge("h", "The Strait of Gibraltar is 13 km wide. It is seen from Spain."))
    ['Strait of Gibraltar', '13', 'Spain']
    """
    if hyperedge.entities:
        return list(hyperedge.entities)
    text = hyperedge.hyperedge[:_LONGEST]
    found = [(quote.start(), quote[0][1:-1]) for quote in _QUOTED.finditer(text)]
    found += _names(_QUOTED.sub(lambda quote: "\n" * len(quote[0]), text))
    named: dict[str, str] = {}
    for _, name in sorted(found):
        bare = " ".join(name.split()).strip(" ,.;:!?'\u2019")
        if bare:
            named.setdefault(bare.casefold(), bare)
    return list(named.values())[:MOST]


def with_entities(hyperedges: Iterable[Hyperedge]) -> list[Hyperedge]:
    """Return copies of the hyperedges with the entities that `entities_of` finds."""
    return [
        edge if edge.entities else msgspec.structs.replace(edge, entities=entities_of(edge))
        for edge in hyperedges
    ]


def _names(text: str) -> list[tuple[int, str]]:
    """Return the capitalised runs and the numbers of a text, each with its place."""
    found: list[tuple[int, str]] = []
    begin = end = last = -1  # the run so far, and the end of the last word
    before = ""
    for match in _WORD.finditer(text):
        word = match[0]
        gap = text[last : match.start()] if last >= 0 else "\n"
        # "J. S. Bach" and "St. Malo" continue after the full stop.
        short = gap == ". " and (len(before) == 1 or before.lower() in _SHORT)
        first = not short and not _ENDS.isdisjoint(gap)
        joined = begin >= 0 and (gap == " " or short) and not first
        number, capital = word[0].isdigit(), word[0].isupper()
        common = word.lower() in _COMMON and (first or word == "I" or not word.isupper())
        linked = joined and (
            (word in _LINKS and end == last) or (word in _AFTER_LINKS and before in _LINKS)
        )
        if begin >= 0 and not linked and not (joined and (capital or (number and end == last))):
            found.append((begin, _POSSESSIVE.sub("", text[begin:end])))
            begin = -1
        if linked:
            # The name ends before the small word unless a capital follows; see `joined`.
            last, before = match.end(), word
            continue
        if begin >= 0:
            end = match.end()
        elif (capital and not common) or number:
            begin, end = match.start(), match.end()
            if number:
                found.append((begin, word))
                begin = -1
        last, before = match.end(), word
        if begin >= 0 and _POSSESSIVE.search(word):
            found.append((begin, _POSSESSIVE.sub("", text[begin:end])))
            begin = -1
    if begin >= 0:
        found.append((begin, text[begin:end]))
    return found

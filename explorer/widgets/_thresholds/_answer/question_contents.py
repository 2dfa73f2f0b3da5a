"""What the calls question by question show, as the page takes it."""

from __future__ import annotations

from typing import Any

from explorer.figures._style.label_text import shortened
from explorer.reporting._analysis.by_question import by_question
from explorer.widgets._session import Session
from explorer.widgets._thresholds._answer import texts

_MOST_TEXT = 90


def questions_content(session: Session) -> dict[str, Any]:
    """Return the summary, and the questions with most errors at the threshold."""
    thresholds = session.thresholds
    analysis, traces = thresholds.analysis, thresholds.traces.loaded
    if analysis is None or traces is None or thresholds.of_other_traces:
        return {"hidden": True, "summary": "", "rows": []}
    found = by_question(analysis, thresholds.threshold)
    rows = []
    for one in found.worst:
        place = traces.index_of(one.trace)
        question = shortened(traces[place].query, _MOST_TEXT)
        said = texts.errors(one.used, one.missed, one.wrong)
        rows.append({"trace": place, "id": one.trace, "question": question, "errors": said})
    return {"hidden": False, "summary": texts.by_question(found), "rows": rows}

"""What the answer at the top of the thresholds tab shows, as the page takes it."""

from __future__ import annotations

from typing import Any

from explorer.rag import ExtractorConfig
from explorer.reporting._analysis.number_text import bounds, digits
from explorer.reporting._analysis.sentences import selection_warning
from explorer.reporting._analysis.threshold_advice import Figure, ThresholdAdvice
from explorer.widgets._session import Session
from explorer.widgets._shell.config_exchange import is_shown
from explorer.widgets._thresholds._answer import texts


def answer_content(session: Session) -> dict[str, Any]:
    """Return the answer, what it is best for, and what can be done."""
    state, answer = session.state, session.answer
    advice: ThresholdAdvice | None = answer.advice
    number = state.objective_number
    content: dict[str, Any] = {
        "hidden": session.thresholds.analysis is None,
        "old": session.thresholds.is_old,
        "kind": "working" if advice is None else advice.kind,
        "sentence": texts.WORKING,
        "figures": [],
        "sure": "",
        "held_out": "",
        "objective": state.objective,
        "objectives": [[name, *each] for name, each in texts.OBJECTIVES.items()],
        "number": None,
        "action": None,
        "undo": answer.undo_text,
    }
    if number:
        label, title = texts.NUMBERS[number]
        content["number"] = {
            "name": number,
            "value": getattr(state, number),
            "label": label,
            "title": title,
            "unit": texts.COST_UNIT if number == "cost_ratio" else "",
        }
    if advice is not None:
        config = ExtractorConfig.of(session.thresholds.methods.config())
        warning = selection_warning(config, session.recommendation.current)
        if session.state.packaged is not None and config.heads is not None:
            warning = texts.PACKAGED
        content |= {
            "sentence": advice.sentence,
            "figures": [list(figure) for figure in _figures(session, advice)],
            "sure": advice.sure,
            "held_out": warning or advice.held_out,
            "action": _action(session, advice),
        }
    return content


def export_note(session: Session) -> str:
    """Return what an exported config says of its threshold."""
    advice: ThresholdAdvice | None = session.answer.advice
    thresholds, objective = session.thresholds, str(session.state.threshold_objective)
    if advice is None or advice.threshold is None:
        return texts.NOT_CHOSEN
    if advice.kind != "keep":
        return texts.other_threshold(objective, thresholds.threshold)
    return texts.chosen_threshold(
        objective, thresholds.threshold, thresholds.analysis.sweep.traces, advice.figures[1]
    )


def _figures(session: Session, advice: ThresholdAdvice) -> list[Figure]:
    """Return the figures; those of recommended settings are from the search."""
    figures = list(advice.figures)
    found = session.recommendation.accepted
    if found is None or not figures or not is_shown(session.state, found.config):
        return figures
    label = f"{found.objective.name} on new traces"
    detail = f"{bounds(found.held_out.low, found.held_out.high, 2)}; the whole choice held out"
    figures[1] = Figure(digits(found.held_out.value, 2), label, detail)
    return figures


def _action(session: Session, advice: ThresholdAdvice) -> dict[str, str] | None:
    label: tuple[str, str]
    kind = "use"
    if advice.kind == "few" and session.state.truth == "labels":
        kind, label = "label", texts.LABEL
    elif advice.kind == "set" and advice.threshold is not None:
        label = texts.set_threshold(advice.threshold)
    elif advice.kind == "words" and advice.threshold is not None:
        label = texts.use_words(advice.threshold)
    else:
        return None
    return {"kind": kind, "label": label[0], "title": label[1]}

"""Results are remembered within bounds."""

from __future__ import annotations

from explorer.widgets._base.result_cache import ResultCache


def test_results_are_bounded_in_number_and_size() -> None:
    sizes = {"a": 2, "b": 3, "c": 4, "d": 1, "e": 8, "f": 100}
    kept: ResultCache[str] = ResultCache(most=3, most_size=10, size=sizes.__getitem__)
    traces, others = object(), object()
    for name in "abc":
        kept[traces, name] = name
    assert kept.get((traces, "a")) == "a"
    assert kept.get((others, "a")) is None
    kept[traces, "d"] = "d"  # the fourth: b was used longest ago
    assert [kept.get((traces, name)) for name in "abcd"] == ["a", None, "c", "d"]
    kept[traces, "e"] = "e"  # 8 + 1 is within 10, with 4 it is not
    assert [kept.get((traces, name)) for name in "acde"] == [None, None, "d", "e"]
    kept[traces, "f"] = "f"
    assert list(kept) == [(traces, "f")]


def test_without_sizes_only_the_number_counts() -> None:
    kept: ResultCache[int] = ResultCache(most=2)
    for number in range(5):
        kept[number] = number
        kept[number] = -number
    assert dict(kept) == {3: -3, 4: -4}
    kept.clear()
    assert not kept

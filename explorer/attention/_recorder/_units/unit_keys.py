"""Sums and largest values over the keys of many units at once, of all texts of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.attention._indexing import IntArray


@dataclass(frozen=True)
class _Group:
    """Units of like length.

    Attributes
    ----------
    columns
        int64 (units, longest): columns of a flat array (texts x keys), padded with 0.
    absent
        bool (units, longest): True for the padding; None if there is none.
    counts
        float32 (units,): how many of a unit's k largest values exist; NaN for a unit without keys.
    """

    columns: Tensor
    absent: Tensor | None
    counts: Tensor


class UnitKeys:
    """The keys of the units of several texts, as indices on the model's device.

    Units are grouped by length (up to 2, 4, 8, 16 ... keys) and padded within a group, so that a
    layer needs the same few operations for one unit as for hundreds.

    Parameters
    ----------
    columns
        For each text, the key positions of each of its units, padding of the text included.
    n_keys
        Keys of the padded texts.
    k
        Number of largest values to average.
    device
        Where to reduce.

    Attributes
    ----------
    stop
        The first key from which on no unit has any.
    starts
        int (texts + 1,): units of text i are starts[i] to starts[i + 1].
    """

    def __init__(
        self, columns: Sequence[Sequence[IntArray]], n_keys: int, k: int, device: torch.device
    ) -> None:
        units = [
            (text, unit) for text, of_text in enumerate(columns) for unit in of_text
        ]  # in the order of the results
        self.starts = np.cumsum([0, *(len(of_text) for of_text in columns)])
        self.stop = max([1, *(int(unit.max()) + 1 for _, unit in units if unit.size)])
        self._k = k
        self._n_texts = len(columns)
        self._columns = columns
        self._device = device
        self._members: Tensor | None = None
        by_size: dict[int, list[int]] = {}
        for number, (_, unit) in enumerate(units):
            by_size.setdefault(int(max(1, len(unit)) - 1).bit_length(), []).append(number)
        self._groups = [
            self._group([units[number] for number in some]) for some in by_size.values()
        ]
        order = np.argsort(np.array([number for some in by_size.values() for number in some]))
        self._order = torch.as_tensor(order.astype(np.int64), device=device)

    def _group(self, units: Sequence[tuple[int, IntArray]]) -> _Group:
        longest = max(1, *(len(unit) for _, unit in units))
        columns = np.zeros((len(units), longest), dtype=np.int64)
        absent = np.ones((len(units), longest), dtype=np.bool_)
        counts = np.full(len(units), np.nan, dtype=np.float32)
        for number, (text, unit) in enumerate(units):
            columns[number, : len(unit)] = text * self.stop + unit
            absent[number, : len(unit)] = False
            if len(unit):
                counts[number] = min(self._k, len(unit))
        return _Group(
            torch.as_tensor(columns, device=self._device),
            torch.as_tensor(absent, device=self._device) if absent.any() else None,
            torch.as_tensor(counts, device=self._device),
        )

    def mass_and_top(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return each unit's sum and the mean of its k largest values.

        Parameters
        ----------
        values
            float32 (texts, heads, sets, keys or fewer), not negative; keys missing at the end have
            no attention.

        Returns
        -------
        mass, top
            float32 (heads, sets, units of all texts); `top` is NaN for a unit without keys.
        """
        _, n_heads, n_sets, _ = values.shape
        if not self._groups:
            nothing = values.new_zeros((n_heads, n_sets, 0))
            return nothing, nothing
        flat = self._within_stop(values).permute(1, 2, 0, 3).reshape(n_heads * n_sets, -1)
        masses, tops = [], []
        for group in self._groups:
            n_units, longest = group.columns.shape
            picked = flat.index_select(1, group.columns.reshape(-1))
            picked = picked.view(-1, n_units, longest)
            if group.absent is not None:
                picked.masked_fill_(group.absent, 0.0)
            masses.append(picked.sum(dim=-1))
            # Attention is not negative, so the zeros of the padding change no sum of the largest.
            largest = picked
            if longest > self._k:
                largest = picked.topk(self._k, dim=-1, sorted=False).values
            tops.append(largest.sum(dim=-1) / group.counts)
        shape = (n_heads, n_sets, -1)
        mass, top = torch.cat(masses, dim=-1), torch.cat(tops, dim=-1)
        if len(self._groups) > 1:
            mass, top = mass.index_select(1, self._order), top.index_select(1, self._order)
        return mass.view(shape), top.view(shape)

    def mass_by_row(self, values: Tensor) -> Tensor:
        """Return each unit's sum for every row.

        Parameters
        ----------
        values
            float32 (texts, heads, rows, keys or fewer).

        Returns
        -------
        float32 (texts, heads, rows, most units of a text)
        """
        n_texts, n_heads, n_rows, _ = values.shape
        if self._members is None:
            self._members = self._membership()
        flat = self._within_stop(values).reshape(n_texts, n_heads * n_rows, self.stop)
        return (flat @ self._members).view(n_texts, n_heads, n_rows, -1)

    def _membership(self) -> Tensor:
        """Return 1 where a key belongs to a unit: float32 (texts, keys, most units of a text)."""
        most = max((len(of_text) for of_text in self._columns), default=0)
        members = np.zeros((self._n_texts, self.stop, most), dtype=np.float32)
        for text, of_text in enumerate(self._columns):
            for number, unit in enumerate(of_text):
                members[text, unit, number] = 1.0
        return torch.as_tensor(members, device=self._device)

    def _within_stop(self, values: Tensor) -> Tensor:
        """Return the keys before `stop`; those missing at the end are zero."""
        missing = self.stop - values.shape[-1]
        if missing > 0:
            return torch.nn.functional.pad(values, (0, missing))
        return values[..., : self.stop]

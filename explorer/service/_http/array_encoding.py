"""Arrays as JSON text, ``.npy``, safetensors and Arrow streams."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def numbers_json(values: FloatArray, precision: int | None = None) -> list[msgspec.Raw]:
    """Return each number of a vector as JSON: the shortest text that reads as the same float32."""
    return [msgspec.Raw(text.encode()) for text in _texts(values, precision).to_pylist()]


def vector_json(values: FloatArray, precision: int | None = None) -> msgspec.Raw:
    """Return a vector as a JSON array.

    Examples
    --------
    >>> bytes(vector_json(np.array([0.1, 1.0, np.nan], dtype=np.float32)))
    b'[0.1,1,null]'
    """
    return msgspec.Raw(b"[" + _joined(_texts(values, precision), [0, len(values)], ",") + b"]")


def matrix_json(matrix: FloatArray, precision: int | None = None) -> msgspec.Raw:
    """Return a matrix as a JSON array of rows.

    Parameters
    ----------
    matrix
        float32 (rows, columns).
    precision
        Digits after the decimal point; None for the shortest text that reads as the same float32.

    Notes
    -----
    A number that is not finite becomes ``null``. Arrow writes the numbers: it does so without
    holding Python's lock, so that a forward pass in another thread is not held up.

    Examples
    --------
    >>> bytes(matrix_json(np.array([[1.0, 0.25]], dtype=np.float32)))
    b'[[1,0.25]]'
    """
    rows, columns = matrix.shape
    if not rows or not columns:
        return msgspec.Raw(msgspec.json.encode([[]] * rows))
    texts = _texts(matrix.reshape(-1), precision)
    starts = pa.array(np.arange(rows + 1, dtype=np.int32) * np.int32(columns))
    lines = pc.binary_join(pa.ListArray.from_arrays(starts, texts), ",")
    return msgspec.Raw(b"[[" + _joined(lines, [0, rows], "],[") + b"]]")


def npy_bytes(array: FloatArray) -> bytes:
    """Return an array as a ``.npy`` file, which `numpy.load` reads without pickle."""
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    return file.getvalue()


def safetensors_bytes(arrays: Mapping[str, FloatArray], facts: Mapping[str, object]) -> bytes:
    """Return arrays as a safetensors file; `facts` become its metadata, each as JSON."""
    from safetensors.numpy import save

    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    metadata = {name: json.dumps(value, ensure_ascii=False) for name, value in facts.items()}
    data: bytes = save(tensors, metadata)
    return data


def arrow_bytes(
    columns: Mapping[str, FloatArray | Sequence[str]], facts: Mapping[str, object]
) -> bytes:
    """Return a table as an Arrow IPC stream with one record batch.

    Parameters
    ----------
    columns
        A vector or texts, or a matrix, which becomes a column of lists of equal length. All have
        the same number of rows.
    facts
        Metadata of the schema, each as JSON.
    """
    arrays = {name: _column(values) for name, values in columns.items()}
    metadata = {name: json.dumps(value, ensure_ascii=False) for name, value in facts.items()}
    fields = [pa.field(name, array.type) for name, array in arrays.items()]
    batch = pa.record_batch(list(arrays.values()), schema=pa.schema(fields, metadata=metadata))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def _column(values: FloatArray | Sequence[str]) -> pa.Array:
    if not isinstance(values, np.ndarray):
        return pa.array(list(values), type=pa.string())
    if values.ndim == 1:
        return pa.array(values)
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _texts(values: FloatArray, precision: int | None) -> pa.Array:
    """Return numbers as texts; Arrow writes the shortest that reads as the same number."""
    numbers: NDArray[np.floating] = values
    if precision is not None:
        numbers = np.round(values.astype(np.float64), precision) + 0.0  # no -0
    finite = np.isfinite(numbers)
    if finite.all():
        return pa.array(numbers).cast(pa.string())
    return pc.fill_null(pa.array(numbers, mask=~finite).cast(pa.string()), "null")


def _joined(texts: pa.Array, span: list[int], separator: str) -> bytes:
    """Return texts joined into one."""
    whole = pa.ListArray.from_arrays(pa.array(span, type=pa.int32()), texts)
    return bytes(pc.binary_join(whole, separator)[0].as_buffer().to_pybytes())

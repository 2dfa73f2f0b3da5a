"""Arrays of evidence: inline numbers, or a named array in a file next to the trace file."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.attention._dense_attention import as_real_array
from explorer.errors import EvidenceError
from explorer.traces._model.trace import Trace

MAX_ARRAY_BYTES = 2 * 2**30
"""Largest array that is read from an evidence file."""


def is_reference(value: object) -> bool:
    """Return True for a reference to an array in a file: ``{"file": ..., "key": ...}``."""
    return isinstance(value, dict) and isinstance(value.get("file"), str)


def array_of(trace: Trace, name: str) -> npt.NDArray[Any]:
    """Return the array under `name` in a trace's metadata.

    Parameters
    ----------
    trace
        The trace; evidence files are searched for in its folder.
    name
        Key of the metadata. Its value is a nested list of numbers (null is NaN), an array, or
        ``{"file": "name.npz", "key": "..."}``.

    Returns
    -------
    ndarray
        Of a real number type; doubles, and lists, are float32.

    Raises
    ------
    EvidenceError
        The value is not an array of numbers, or its file cannot be used.
    """
    value = trace.metadata[name]
    if is_reference(value):
        where = f"`{name}` of trace {trace.id}"
        found = _read_file(_file_beside(trace, value["file"], where), value.get("key"), where)
    else:
        found = _inline(value, f"`{name}` of trace {trace.id}")
    if found.dtype.kind not in "iuf":
        raise EvidenceError(
            f"`{name}` of trace {trace.id} must hold real numbers, not {found.dtype}."
        )
    return found if isinstance(found, np.memmap) else single_precision(found)


def single_precision(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return doubles as float32, the type of attention maps; too large numbers become infinite."""
    if array.dtype.kind != "f" or array.dtype.itemsize <= 4:
        return array
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def evidence_file(trace: Trace, reference: dict[str, Any]) -> Path:
    """Return the checked path of the file that a reference of this trace names.

    Raises
    ------
    EvidenceError
        The trace has no folder, or the file lies outside it, or is missing.
    """
    return _file_beside(trace, reference["file"], f"An array of trace {trace.id}")


def _inline(value: object, where: str) -> npt.NDArray[Any]:
    """Return a nested list, an array or a tensor as an array."""
    refusal = EvidenceError(
        f"{where} is not an array of numbers: its lists have different lengths, or hold something "
        "that is not a number."
    )
    try:
        value = without_tensors(value)
        # Without a dtype first, so that text is recognised and not parsed as numbers.
        found = np.asarray(value)
        if found.dtype.kind != "O":
            return found
        if not any(isinstance(item, str | dict | list | bool) for item in found.flat):
            return found.astype(np.float64)  # null became None, and becomes NaN
    except (ValueError, TypeError, OverflowError, RecursionError, RuntimeError):
        raise refusal from None
    raise refusal


def without_tensors(value: Any) -> Any:
    """Return a tensor or a list of tensors as an array, and other values unchanged.

    NumPy itself refuses tensors that have a gradient, are in half precision or on another device.

    Raises
    ------
    InputError
        A tensor does not hold its numbers, or tensors have different shapes.
    """
    if hasattr(value, "detach"):
        return as_real_array(value)
    if isinstance(value, list | tuple) and value and all(hasattr(one, "detach") for one in value):
        return as_real_array(value)
    return value


def _file_beside(trace: Trace, name: str, where: str) -> Path:
    """Return the path of a file name, which must lie within the trace's folder.

    A trace file may come from an untrusted source: it must not make explorer open files elsewhere
    on the disk. For that reason links are followed before the check.
    """
    if trace.folder is None:
        raise EvidenceError(
            f"{where} is in the file {name!r}, out of reach of a trace that was uploaded or "
            "made in memory. Load the trace file by its path, with the array file next to it."
        )
    outside = EvidenceError(
        f"{where} is in the file {name!r}, outside the folder of its trace. "
        "Explorer only reads array files in that folder or below it; move the file there."
    )
    # Both flavours, so that the same file names are refused on every system.
    for flavour in (PurePosixPath(name), PureWindowsPath(name)):
        if flavour.is_absolute() or flavour.drive or ".." in flavour.parts:
            raise outside
    try:
        folder = trace.folder.resolve()
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise outside
        usable = path.is_file()
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, EvidenceError):
            raise
        raise EvidenceError(f"{where} names a file that cannot be opened: {name!r}.") from None
    if not usable:
        raise EvidenceError(
            f"{where} is in the file {name!r}, and there is no such file in {folder}."
        )
    return path


def _read_file(path: Path, key: object, where: str) -> npt.NDArray[Any]:
    """Return one named array of an ``.npz`` or ``.safetensors`` file."""
    if not isinstance(key, str):
        raise EvidenceError(f"{where} names the file {path.name} but no `key` of an array in it.")
    suffix = path.suffix.lower()
    if suffix not in (".npz", ".safetensors"):
        raise EvidenceError(f"{where} is in {path.name}; array files are .npz or .safetensors.")
    reader = _read_npz if suffix == ".npz" else _read_safetensors
    try:
        return reader(path, key, where)
    except EvidenceError:
        raise
    except Exception as error:  # a damaged file may raise any error
        raise EvidenceError(
            f"{where} cannot be read from {path.name}: the file is damaged or of another kind "
            f"({type(error).__name__})."
        ) from error


def _read_npz(path: Path, key: str, where: str) -> npt.NDArray[Any]:
    """Return one member of an ``.npz``; only that member is decompressed.

    `numpy.load` would trust the sizes in the member's header and allocate them; here the header
    must agree with the size that the archive gives.
    """
    with zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        if key not in names:
            raise _missing_key(path, key, names, where)
        info = archive.infolist()[names.index(key)]
        _check_size(info.file_size, path, where)
        with archive.open(info) as member:
            version = np.lib.format.read_magic(member)
            read_header = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read_header(member)
            if dtype.hasobject:
                raise EvidenceError(
                    f"{where} holds Python objects in {path.name}; save it as an array of numbers."
                )
            count = 1
            for size in shape:
                count *= size
            if member.tell() + count * dtype.itemsize != info.file_size:
                raise EvidenceError(f"{where} is cut off in {path.name}.")
        with archive.open(info) as member:
            return np.asarray(np.lib.format.read_array(member, allow_pickle=False))


def _read_safetensors(path: Path, key: str, where: str) -> npt.NDArray[Any]:
    """Return one tensor of a ``.safetensors`` file."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as tensors:
        names = list(tensors.keys())
        if key not in names:
            raise _missing_key(path, key, names, where)
        # The format forbids gaps and overlaps, so no tensor is larger than its file.
        _check_size(path.stat().st_size, path, where)
        return np.asarray(tensors.get_tensor(key))


def _check_size(size: int, path: Path, where: str) -> None:
    """Raise EvidenceError for an array that would fill the memory."""
    if size > MAX_ARRAY_BYTES:
        raise EvidenceError(
            f"{where} takes {size / 2**30:.1f} GB in {path.name}; explorer reads at most "
            f"{MAX_ARRAY_BYTES / 2**30:.0f} GB. Store the answer rows only, or float16."
        )


def _missing_key(path: Path, key: str, names: list[str], where: str) -> EvidenceError:
    """Return the error of a missing array, with the arrays of the file."""
    shown = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
    return EvidenceError(f"{where} is under {key!r}, and {path.name} holds {shown or 'nothing'}.")

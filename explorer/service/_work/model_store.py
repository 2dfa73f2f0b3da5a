"""The models that clients may name, and those in memory."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from cachetools import Cache, LRUCache

from explorer.errors import ExplorerError
from explorer.models import available_models
from explorer.service._http.problems import ProblemError, busy
from explorer.service._service_settings import ServiceSettings

if TYPE_CHECKING:
    from explorer.models import Model

logger = logging.getLogger(__name__)


class _RecentModels(LRUCache[str, "Model"]):
    """The models used last, by name; remembers those that made room."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._released: list[Model] = []

    def popitem(self) -> tuple[str, Model]:
        """Remove the model used least recently."""
        name, model = super().popitem()
        self._released.append(model)
        return name, model

    def take_released(self) -> list[Model]:
        """Return the models that made room since the last call."""
        released, self._released = self._released, []
        return released

    def as_dict(self) -> dict[str, Model]:
        """Return all models; looking at them does not count as use."""
        return {name: Cache.__getitem__(self, name) for name in self}


class ModelStore:
    """Loads models by the names that clients give, and keeps the most recent ones.

    Parameters
    ----------
    settings
        Default model, further models, and the number that stays in memory.
    load
        Loads a model that this store does not hold.

    Attributes
    ----------
    on_release
        Called with a model that made room for another.
    """

    def __init__(self, settings: ServiceSettings, load: Callable[[str], Model]) -> None:
        self._load = load
        self._downloads = settings.downloads
        self._loaded = _RecentModels(settings.max_models)
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="explorer-load")
        self._own: Mapping[str, str] = settings.extra_models
        self.default = self._public_name(settings.model)
        self.on_release: Callable[[Model], None] = lambda model: None

    @property
    def loaded(self) -> dict[str, Model]:
        """The models in memory, by name."""
        with self._lock:
            return self._loaded.as_dict()

    @property
    def own(self) -> Mapping[str, str]:
        """The operator's models: from the name that clients give to the name that is loaded."""
        return self._own

    def resolved(self, name: str | None) -> str:
        """Return the name of a model as `get` takes it; the default for None.

        Raises
        ------
        ProblemError
            Clients may not use a model of this name, or it is not installed.
        """
        if name is None:
            return self.default
        if name in self._own:
            return name
        for choice in available_models():
            if name.casefold() == choice.name.casefold():
                if choice.installed or self._downloads:
                    return choice.name
                raise ProblemError(
                    "model-not-found",
                    f"The model {choice.name} is not installed here, and this service downloads "
                    "no models. GET /v1/models lists those that are installed.",
                )
        raise ProblemError(
            "model-not-found",
            "There is no model of this name here. GET /v1/models lists the names; folders and "
            "addresses are not accepted.",
        )

    async def get(self, name: str) -> Model:
        """Return a model, loaded if it is not in memory.

        Raises
        ------
        ProblemError
            The model cannot be loaded; the log has the reason.
        """
        with self._lock:
            if name in self._loaded:
                return self._loaded[name]
        try:
            return await asyncio.wrap_future(self._thread.submit(self._loaded_model, name))
        except ExplorerError:
            # The reason may name folders of this machine.
            logger.exception("The model %s could not be loaded", name)
            raise busy(
                f"The model {name} could not be loaded. The log of the service has the reason.",
                "model-unavailable",
                seconds=30,
            ) from None

    def close(self) -> None:
        """Release the models, after a load that runs."""
        self._thread.shutdown(cancel_futures=True)
        with self._lock:
            self._loaded.clear()

    def _loaded_model(self, name: str) -> Model:
        with self._lock:
            if name in self._loaded:
                return self._loaded[name]
        model = self._load(self._own.get(name, name))
        with self._lock:
            self._loaded[name] = model
            released = self._loaded.take_released()
        for one in released:
            self.on_release(one)
        return model

    def _public_name(self, name: str) -> str:
        """Return the name of the default model; that of a folder is the folder's last part."""
        if name in self._own:
            return name
        for choice in available_models():
            if name.casefold() == choice.name.casefold():
                return choice.name
        short = Path(name).expanduser().resolve().name if Path(name).expanduser().is_dir() else name
        self._own = {**self._own, short: name}
        return short

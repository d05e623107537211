"""The model of a folder, kept up with its strokes, and what it makes of the other images.

Fits and the masks of thumbnails have a worker of their own, and wait as long as somebody waits for
the reply to a stroke.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from saccade.errors import InputError
from saccade.fitted import Model, TrainedModel, load
from saccade.images import Reading
from saccade.scribbles.document import StrokeClass
from saccade.serve.background import Background
from saccade.serve.errors import QueueFullError, SupersededError
from saccade.serve.folder import Folder
from saccade.serve.folder_fit import FitJob, FolderFit, collect_strokes, fit_folder
from saccade.serve.folder_network import FolderNetwork, MaskSource
from saccade.serve.library import Library
from saccade.serve.previews import Preview, preview_entry, preview_of
from saccade.serve.request_queue import RequestQueue
from saccade.serve.results import DisplayedMask
from saccade.serve.session import Session
from saccade.serve.settings import ServeSettings

_QUIET_SECONDS = 0.8
"""Without a stroke, before a fit begins."""
_LOOK_SECONDS = 0.1
_PLACES = 8
_log = logging.getLogger("saccade.serve")


class FolderModel:
    """All methods belong to the event loop's thread.

    Attributes:
        fit: the newest; None while nobody drew.
        previews: small masks by image id.
        problem: why there is no newer fit; "" if there is nothing to say.
        is_fitting: whether a fit is running or about to.
        on_fit: called when there is another fit, or none any more.
        on_preview: called with the id of an image that has another small mask.
    """

    def __init__(
        self,
        settings: ServeSettings,
        library: Library,
        folder: Folder,
        queue: RequestQueue,
        background: Background,
        sessions: dict[str, Session],
    ) -> None:
        self._settings, self._library, self._folder = settings, library, folder
        self._strokes_queue, self._background, self._sessions = queue, background, sessions
        self._work = RequestQueue(1, _PLACES)
        self._base: Model | None = None
        self._network: FolderNetwork | None = None
        self._change = 0
        self._closed = self._begun = False
        self._asked: list[str] = []
        self.fit: MaskSource | None = None
        self.previews: dict[str, Preview] = {}
        self.problem, self.is_fitting = "", False
        self.on_fit: Callable[[], None] = lambda: None
        self.on_preview: Callable[[str], None] = lambda image: None
        if settings.model is not None:
            model = load(settings.model, device=settings.device)
            as_shown = (
                model.as_shown if isinstance(model, TrainedModel) else model.reading == Reading()
            )
            if not as_shown:
                raise InputError(
                    f"{settings.model}: has channels or black and white of its own, the page shows "
                    "images as they are; saccade segment --model takes it"
                )
            if isinstance(model, TrainedModel):
                self.fit = self._network = FolderNetwork(model)
            else:
                self._base = model
                self.fit = FolderFit(model)

    @property
    def preset(self) -> str:
        """Of the fits: several images are fitted by learned steps."""
        return self._settings.preset if self._settings.preset == "best" else "fast"

    @property
    def _others(self) -> bool:
        """Whether a fit is of use: the strokes on a single image say all that there is to say."""
        return self._library.count > 1 or self.fit is not None

    @property
    def network(self) -> TrainedModel | None:
        """The trained network that it began with, which makes all masks."""
        return None if self._network is None else self._network.model

    @property
    def classes(self) -> tuple[StrokeClass, ...]:
        """Those of the trained network that it began with."""
        names = {} if self._network is None else self._network.model.names
        return tuple(StrokeClass(value, name, None) for value, name in names.items())

    def fit_for(self, session: Session) -> MaskSource | None:
        """The fit that a session's mask is made with; None where its own strokes decide alone."""
        fit = self.fit
        if fit is None or not self._folder.project.shared or not fit.others(session.entry.id):
            return None
        return fit if fit.serves(session.stroked_classes, session.preset) else None

    def status(self) -> dict[str, Any]:
        """What pages are told."""
        fit = self.fit
        return {
            "type": "folder",
            "images": 0 if fit is None else fit.images,
            "network": "" if self._network is None else str(self._settings.model),
            "fitting": self.is_fitting,
            "shared": self._folder.project.shared,
            "connected": self._folder.project.connected,
            "problem": self.problem,
            "remarks": [] if fit is None else list(fit.remarks),
        }

    def begin(self) -> None:
        """Fit to the strokes that are there, once somebody opens an image."""
        if not self._begun:
            self._begun = True
            self.strokes_changed()

    def strokes_changed(self) -> None:
        """Stop what goes on, and fit again when nobody has drawn for a moment."""
        self._change += 1
        self._work.cancel("fit")
        self._work.cancel("preview")
        if self._folder.project.shared and self._others and self._network is None:
            # Soon: the fit that there is is out of date from now on.
            self.is_fitting = any(self._folder.drawn.values())
            self._folder.broadcast(self.status(), "folder")
        self._background.start(self._fit_when_quiet(self._change))

    def show(self, session: Session, mask: DisplayedMask) -> None:
        """Keep a small copy of a mask that a page has."""
        self.previews[session.entry.id] = preview_of(mask, self._number(session.entry.id))
        self.on_preview(session.entry.id)

    def ask(self, image: str) -> None:
        """Make the small mask of an image before those of others."""
        if image not in self._asked:
            self._asked.append(image)

    async def close(self) -> None:
        """Stop everything; returns when the worker has."""
        self._closed = True
        self._change += 1
        await self._work.close()

    def _number(self, image: str) -> int:
        known = self.previews.get(image)
        return known.number + 1 if known is not None else 1

    async def _fit_when_quiet(self, change: int) -> None:
        await asyncio.sleep(_QUIET_SECONDS)
        if not await self._still(change):
            return
        if self._network is not None and self._folder.project.shared:
            await self._make_previews(change)
            return
        if not self._others or not self._folder.project.shared:
            self._fitted(change)
            return
        opened = {s.entry.id: s.document for s in self._sessions.values()}
        try:
            drawn, remarks = await self._background.in_slow_thread(
                collect_strokes, self._library, opened
            )
            job = FitJob(
                drawn,
                tuple(c.value for c in self._folder.project.classes),
                self.fit if isinstance(self.fit, FolderFit) else None,
                self._base,
                self.preset,
                self._settings.seed,
                self._settings.device,
                tuple(remarks),
            )
            if change != self._change:
                return
            fit = await self._work.submit("fit", partial(fit_folder, job, self._library))
            self.fit, self.problem = fit, ""
        except (SupersededError, QueueFullError):
            return  # newer strokes came
        except InputError as error:
            self.problem = str(error)
        except Exception:
            _log.exception("the fit to the strokes of the folder failed")
            self.problem = "the fit to all strokes failed for a reason that the server's log has"
        finally:
            self._fitted(change)
        self.on_fit()
        await self._make_previews(change)

    def _fitted(self, change: int) -> None:
        """Say that nothing is on its way any more, unless there are newer strokes."""
        if change == self._change and not self._closed:
            self.is_fitting = False
            self._folder.broadcast(self.status(), "folder")

    async def _still(self, change: int) -> bool:
        """Wait until nobody waits for a mask; whether the strokes are still those of `change`."""
        while change == self._change and not self._strokes_queue.is_idle:
            await asyncio.sleep(_LOOK_SECONDS)
        return change == self._change and not self._closed

    async def _make_previews(self, change: int) -> None:
        """Small masks of the images that nobody has open, those that pages show first."""
        fit = self.fit
        if fit is None:
            return
        left = {e.id: e for e in await self._background.in_thread(self._library.entries)}
        if fit is self._network:  # which stays as it is
            left = {image: entry for image, entry in left.items() if image not in self.previews}
        while left and await self._still(change):
            asked = next((image for image in self._asked if image in left), None)
            entry = left.pop(asked if asked is not None else next(iter(left)))
            if asked is not None:
                self._asked.remove(asked)
            if any(s.entry.id == entry.id and s.mask for s in self._sessions.values()):
                continue
            number = self._number(entry.id)
            try:
                preview = await self._work.submit(
                    "preview", partial(preview_entry, fit, entry, number, self._library)
                )
            except (SupersededError, QueueFullError):
                return
            except (InputError, OSError) as error:
                preview = Preview(number, problem=str(error))
            except Exception:
                _log.exception("no small mask of %s", entry.path)
                continue
            self.previews[entry.id] = preview
            self.on_preview(entry.id)

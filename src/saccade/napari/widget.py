"""The panel in napari: buttons over `saccade.napari.model`."""

import threading
from collections.abc import Callable
from typing import Any

from saccade.errors import InputError
from saccade.interactive import Segmentation
from saccade.interactive.presets import MENU
from saccade.napari.layers import OURS, Drawn, compute_layers, drawn_layers, show_layers, told
from saccade.napari.model import (
    Fitted,
    Options,
    compute,
    current_plane,
    show,
    show_places,
)
from saccade.napari.stack import show_stack, stack_steps
from saccade.stacks import StackSegmentation

_ALL_SLICES = "Segment all slices"
_ALL_LAYERS = "Segment all image layers"


def make_widget(viewer: Any) -> Any:
    """Return the panel for a viewer.

    Args:
        viewer: a `napari.Viewer`, given by napari.
    """
    return Panel(viewer).container


class Panel:
    """Layers, preset, seed and buttons; fits run in a thread, the last good mask stays."""

    def __init__(self, viewer: Any) -> None:
        from magicgui.widgets import (
            CheckBox,
            ComboBox,
            Container,
            Label,
            ProgressBar,
            PushButton,
            SpinBox,
        )
        from napari.layers import Image, Labels

        self.viewer = viewer
        self._fitted: Fitted | None = None
        self._cancel = threading.Event()
        self._running = False
        self._again = False
        self._followed: Any = None

        def of_type(kind: Any) -> Callable[[Any], list[Any]]:
            return lambda _: [
                layer
                for layer in viewer.layers
                if isinstance(layer, kind) and not layer.name.startswith(OURS)
            ]

        self.image: Any = ComboBox(label="Image", choices=of_type(Image))
        self.strokes: Any = ComboBox(label="Strokes", choices=of_type(Labels))
        self.preset = ComboBox(label="Preset", choices=list(MENU), value="fast")
        self.seed = SpinBox(label="Seed", min=0, max=2**31 - 1, value=0)
        self.follow = CheckBox(text="Follow the strokes", value=True)
        self.run: Any = PushButton(text="Segment")
        self.places: Any = PushButton(text="Where next?")
        self.slices: Any = PushButton(text=_ALL_SLICES)
        self.layers: Any = PushButton(text=_ALL_LAYERS)
        self.progress: Any = ProgressBar(label="Slices", min=0, max=100, value=0)
        self.status = Label(value="Draw in a labels layer: 1, 2, ... are classes, 0 is nothing")
        self.container = Container(
            widgets=[
                self.image,
                self.strokes,
                self.preset,
                self.seed,
                self.follow,
                self.run,
                self.places,
                self.slices,
                self.layers,
                self.progress,
                self.status,
            ]
        )
        self.run.changed.connect(lambda _: self.start())
        self.places.changed.connect(lambda _: self.where_next())
        self.slices.changed.connect(lambda _: self.all_slices())
        self.layers.changed.connect(lambda _: self.all_layers())
        strokes: Any = self.strokes
        strokes.changed.connect(lambda _: self._watch())
        viewer.layers.events.inserted.connect(self._reset)
        viewer.layers.events.removed.connect(self._reset)
        self._watch()

    def start(self) -> None:
        """Fit to the strokes that are there; a fit that still runs is stopped first."""
        from napari.qt.threading import create_worker

        layers = self._layers()
        if layers is None:
            return
        image, strokes = layers
        if self._running:
            self._cancel.set()
            self._again = True
            return
        self._cancel = threading.Event()
        self._running = True
        self._say("Segmenting")
        options = Options(self.preset.value, self.seed.value)
        plane = current_plane(self.viewer, image)
        # Progress is not shown: napari's own busy sign is, and a fit takes a fraction of a second.
        worker: Any = create_worker(
            compute, image, strokes, plane, options, self._fitted, cancel=self._cancel.is_set
        )
        worker.returned.connect(lambda fitted: self._done(fitted, image, strokes))
        worker.errored.connect(self._failed)
        worker.finished.connect(self._finished)
        worker.start()

    def _layers(self) -> tuple[Any, Any] | None:
        """Image and strokes; None, and said, where one is not chosen."""
        image, strokes = self.image.value, self.strokes.value
        if image is None or strokes is None:
            self._say("Choose an image layer and a labels layer with strokes")
            return None
        return image, strokes

    def all_slices(self) -> None:
        """Segment all slices from strokes on some; while that runs, stop it."""
        from napari.qt.threading import create_worker

        layers = self._layers()
        if layers is None:
            return
        image, strokes = layers
        if self._running:
            self._cancel.set()
            return
        self._cancel = threading.Event()
        self._running = True
        self.slices.text = "Stop"
        options = Options(self.preset.value, self.seed.value)
        worker: Any = create_worker(stack_steps, image, strokes, options, self._cancel)
        worker.yielded.connect(lambda step: self._stepped(step, image, strokes, options))
        worker.errored.connect(self._failed)
        worker.finished.connect(self._slices_finished)
        worker.start()

    def _stepped(self, step: Any, image: Any, strokes: Any, options: Options) -> None:
        if not isinstance(step, StackSegmentation):
            self.progress.value = round(100 * step[0])
            self._say(step[1].capitalize())
            return
        show_stack(self.viewer, image, strokes, step, options)
        done = f"Done in {step.timings['total']:.1f} s" if step.finished else "Stopped"
        self._say("; ".join((done, *step.remarks)))

    def _slices_finished(self) -> None:
        self.slices.text = _ALL_SLICES
        self.progress.value = 0
        self._finished()

    def all_layers(self) -> None:
        """Segment all image layers by a model of the strokes on some; while that runs, stop it."""
        from napari.qt.threading import create_worker

        if self._running:
            self._cancel.set()
            return
        try:
            layers = drawn_layers(self.viewer)
        except InputError as error:
            self._failed(error)
            return
        self._cancel = threading.Event()
        self._running = True
        self.layers.text = "Stop"
        self._say("Fitting to all strokes")
        options = Options(self.preset.value, self.seed.value)
        worker: Any = create_worker(compute_layers, layers, options, cancel=self._cancel.is_set)
        worker.returned.connect(lambda found: self._layers_done(layers, found))
        worker.errored.connect(self._failed)
        worker.finished.connect(self._layers_finished)
        worker.start()

    def _layers_done(self, layers: list[Drawn], found: list[Segmentation]) -> None:
        show_layers(self.viewer, layers, found)
        self._say(told(layers, found))

    def _layers_finished(self) -> None:
        self.layers.text = _ALL_LAYERS
        self._finished()

    def where_next(self) -> None:
        """Show where a stroke would help most."""
        if self._fitted is None or self.image.value is None:
            self._say("Segment first")
            return
        count = show_places(self.viewer, self.image.value, self._fitted)
        self._say("Draw where the numbers are" if count else "Nearly all is certain")

    def _done(self, fitted: Fitted, image: Any, strokes: Any) -> None:
        self._fitted = fitted
        show(self.viewer, image, strokes, fitted)
        result = fitted.segmenter.result
        done = f"Done in {result.timings['total']:.2f} s"
        self._say("; ".join((done, *fitted.remarks, *result.remarks)))

    def _failed(self, error: Exception) -> None:
        from napari.utils.notifications import show_error

        text = str(error) if isinstance(error, InputError) else f"unexpected: {error}"
        self._say(text)
        if not self.follow.value:  # while strokes are followed, half a set of them is no fault
            show_error(text)

    def _finished(self) -> None:
        self._running = False
        if self._again:
            self._again = False
            self.start()

    def _watch(self) -> None:
        """Follow the labels layer that is chosen."""
        if self._followed is not None:
            self._followed.events.paint.disconnect(self._painted)
        self._followed = self.strokes.value
        if self._followed is not None:
            self._followed.events.paint.connect(self._painted)

    def _painted(self, _: Any = None) -> None:
        if self.follow.value:
            self.start()

    def _reset(self, _: Any = None) -> None:
        self.image.reset_choices()
        self.strokes.reset_choices()

    def _say(self, text: str) -> None:
        self.status.value = text

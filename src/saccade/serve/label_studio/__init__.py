"""A backend for Label Studio: brush pre-labels from the strokes of an annotator.

Label Studio adds ``http://HOST:PORT/label-studio`` as a model; it then asks ``/predict`` for each
task, and with what the annotator drew so far when that is interactive. `routes` answers it,
`interface` reads the project's labelling interface, `strokes` and `images` read a task.
"""

from saccade.serve.label_studio.routes import label_studio_router

__all__ = ["label_studio_router"]

"""The napari plugin: an image layer and strokes in a labels layer make a mask.

`saccade.napari.model` does the work on a viewer and needs no window; `saccade.napari.widget` wires
it to buttons. In labels layers 0 means "nobody drew", as everywhere in napari, so classes begin
at 1.
"""

"""Objects in a mask: each gets a number, its class and how sure the mask is, and is measured.

    found = find_objects(mask, probabilities, separate=True)
    rows = measure_objects(found, image, pixel_size={"Y": 0.5, "X": 0.5}, unit="um")
    write_table("cells.csv", rows)

Nothing here knows a network: masks may come from anywhere.
"""

from saccade.objects.instances import Objects, find_objects
from saccade.objects.measurements import measure_objects, summarize_objects
from saccade.objects.separation import separate_touching
from saccade.objects.tables import check_table, write_table

__all__ = [
    "Objects",
    "check_table",
    "find_objects",
    "measure_objects",
    "separate_touching",
    "summarize_objects",
    "write_table",
]

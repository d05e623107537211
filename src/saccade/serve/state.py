"""What a page is told about a session."""

from dataclasses import asdict
from typing import Any, cast

from saccade.formats import masks
from saccade.interactive.presets import MENU
from saccade.serve.class_colors import class_colors
from saccade.serve.documents import from_document
from saccade.serve.library import Entry, id_of
from saccade.serve.schemas import (
    FormatModel,
    HolderModel,
    ImageModel,
    Preset,
    SessionState,
    SliceModel,
)
from saccade.serve.service import Service
from saccade.serve.session import Session

_PALETTE_COLORS = 64
_SHOWN_LIMITS = ("message_bytes", "upload_bytes", "pixels", "items", "points")


def session_state(service: Service, session: Session) -> dict[str, Any]:
    """The state of a session as JSON."""
    limits = asdict(service.settings.limits)
    height, width = session.size
    image = image_model(service, session.entry, session.image_remarks).model_copy(
        update={"width": width, "height": height}
    )
    return SessionState(
        session=session.id,
        image=image,
        preset=cast(Preset, session.preset),  # checked where it was set
        presets=list(MENU),
        seed=session.seed,
        revision=session.revision,
        document=from_document(session.document),
        has_mask=session.mask is not None,
        palette=class_colors(_PALETTE_COLORS),
        formats=formats(),
        limits={name: limits[name] for name in _SHOWN_LIMITS},
        remarks=list(session.remarks),
    ).model_dump(mode="json")


def image_model(service: Service, entry: Entry, remarks: tuple[str, ...] = ()) -> ImageModel:
    """An image as it is listed."""
    try:
        width, height = service.library.size(entry)
    except (OSError, ValueError):  # it is opened to be told what is wrong
        width = height = 0
    preview = service.model.previews.get(entry.id)
    drawn = bool(service.folder.drawn.get(entry.id)) or entry.has_strokes
    return ImageModel(
        id=entry.id,
        name=entry.name,
        folder=entry.folder,
        width=width,
        height=height,
        has_strokes=entry.has_strokes,
        remarks=list(remarks),
        status="done" if service.folder.is_done(entry) else "strokes" if drawn else "empty",
        mask=preview.number if preview is not None and preview.labels is not None else 0,
        uncertainty=preview.uncertainty if preview is not None else None,
        sure=preview is not None and preview.is_sure,
        problem=preview.problem if preview is not None else "",
        holder=_holder(service, entry),
        slice=_slice(entry),
        unlike=preview is not None and preview.unlike,
    )


def _holder(service: Service, entry: Entry) -> HolderModel | None:
    """Whose page has an image open."""
    opened = (s for s in list(service.sessions.values()) if s.entry.id == entry.id)
    found = next((s.holder for s in opened if s.outgoing is not None), None)
    return None if found is None else HolderModel(**asdict(found))


def _slice(entry: Entry) -> SliceModel | None:
    one = entry.slice
    if one is None:
        return None
    return SliceModel(stack=id_of(entry.path), number=one.number, count=one.count)


def formats() -> list[FormatModel]:
    """The formats that masks can be exported to."""
    return [
        FormatModel(name=name, title=fmt.title, suffix=fmt.suffix)
        for name, fmt in masks.MASK_FORMATS.items()
    ]

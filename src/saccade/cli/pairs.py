"""Which strokes belong to which image: two files, two folders, or one file for many images."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from saccade.copies import copied
from saccade.errors import InputError
from saccade.files import check_readable, last_part
from saccade.folders import by_stem, list_files, name_key, real_paths, some_names
from saccade.scribbles.stroke_names import STROKE_SUFFIX as PAGE_SUFFIX
from saccade.scribbles.stroke_names import owner_of
from saccade.stores import is_folder, is_remote
from saccade.suffixes import IMAGE_SUFFIXES, LABEL_SUFFIXES

STROKE_SUFFIXES = LABEL_SUFFIXES | {".json", ".npy", ".xml"}


@dataclass(frozen=True)
class Pair:
    """An image and the strokes over it.

    Attributes:
        image: its file.
        strokes: their file; None where a model predicts an image without any.
        entry: name of the image in a file for many; None where the file is of this image alone.
    """

    image: Path
    strokes: Path | None
    entry: str | None = None

    @property
    def drawn(self) -> Path:
        """The strokes' file, where an image must have one."""
        assert self.strokes is not None  # only `with_all_images` has others
        return self.strokes

    @property
    def sources(self) -> tuple[Path, ...]:
        """The files that are read."""
        return (self.image,) if self.strokes is None else (self.image, self.strokes)

    @property
    def elsewhere(self) -> bool:
        """Whether one of them lies in a store: then a worker looks at them first."""
        return any(map(is_remote, self.sources))


@dataclass(frozen=True)
class Pairing:
    """What was found: the pairs in the order of their names, and lines on what has no partner."""

    pairs: tuple[Pair, ...]
    remarks: tuple[str, ...] = ()
    single: bool = False


def pair_up(image: Path, strokes: Path) -> Pairing:
    """Pair one image with its strokes, or the images of a folder with theirs.

    The strokes of a folder of images are the files of a folder that have their stems; where both
    are the same folder, what the page and labelme leave beside images; or the entries of one COCO,
    CVAT or Label Studio file.

    Raises:
        InputError: a path does not exist or is no file, an image stands beside a folder of
            strokes, a stem stands for two files of one folder, or nothing belongs together.
    """
    of_images, of_strokes = is_folder(image), is_folder(strokes)
    for path, folder in ((image, of_images), (strokes, of_strokes)):
        if not folder:
            check_readable(path)
    if of_images and is_one_image(image):
        return Pairing((Pair(image, strokes),), single=True)
    if of_images and not of_strokes:
        return _pair_entries(image, strokes)
    if of_strokes and not of_images and not is_one_image(strokes):
        raise InputError(
            f"{strokes} is a folder and {image} is a file; expected two files or two folders"
        )
    if not of_images:
        return Pairing((Pair(image, strokes, _entry_of(image, strokes)),), single=True)
    if len(set(real_paths((image, strokes)))) == 1:
        return _pair_beside(image)
    return _pair_folders(image, strokes)


def is_one_image(folder: Path) -> bool:
    """Whether a folder is an OME-Zarr or a series of DICOM files.

    Raises:
        InputError: it is, and lies in a store.
    """
    from saccade.images import is_image_folder

    if is_remote(folder):
        if folder.suffix.lower() == ".zarr":
            raise InputError(
                f"{folder}: is an image of many files; expected a copy on this machine"
            )
        return False
    return is_image_folder(folder)


def with_all_images(image: Path, found: Pairing | None) -> Pairing:
    """The pairs of a folder, and its images that have no strokes.

    Args:
        image: an image, or a folder of images.
        found: the pairs there are; None where there are no strokes at all.

    Raises:
        InputError: no image is there.
    """
    folder = is_folder(image)
    if not folder or is_one_image(image):
        file = image if folder else check_readable(image)
        single = Pairing((Pair(file, None),), single=True)
        return single if found is None else found
    pictures = list_files(image, IMAGE_SUFFIXES)
    if not pictures.files:
        raise InputError(f"{image}: holds no images")
    known = {pair.image: pair for pair in found.pairs} if found is not None else {}
    of_stem = by_stem(image, pictures.files)
    pairs = (known.get(of_stem[stem], Pair(of_stem[stem], None)) for stem in sorted(of_stem))
    remarks = pictures.remarks if found is None else found.remarks
    kept = tuple(line for line in remarks if "images without strokes" not in line)
    return Pairing(tuple(pairs), kept)


def pair_maps(images: Path, maps: Path) -> Pairing:
    """Pair the images of a folder with their localisation maps, NAME.npz.

    Raises:
        InputError: a stem stands for two images, or no two stems are the same.
    """
    pictures, known = list_files(images, IMAGE_SUFFIXES), list_files(maps, {".npz"})
    found, of_stem = by_stem(images, pictures.files), by_stem(maps, known.files)
    if not found.keys() & of_stem.keys():
        raise InputError(f"{images} and {maps} have no name in common; a.jpg belongs to a.npz")
    return _paired(found, of_stem, "map", "maps", (*pictures.remarks, *known.remarks))


def size_of(path: Path) -> tuple[int, int]:
    """(H, W) of an image; from its header where Pillow knows the format.

    Raises:
        InputError: no image.
    """
    from saccade.images import image_size, load_image

    try:
        return image_size(path)
    except InputError:
        image = load_image(path)  # knows more formats, and says what would be right
        return image.shape[0], image.shape[1]


def _pair_folders(images: Path, strokes: Path) -> Pairing:
    pictures, files = list_files(images, IMAGE_SUFFIXES), list_files(strokes, STROKE_SUFFIXES)
    found = by_stem(images, pictures.files)
    paged = _paged(files.files, [path.name for path in pictures.files])
    others = [path for path in files.files if not path.name.endswith(PAGE_SUFFIX)]
    drawn = by_stem(strokes, others) | paged
    if not found.keys() & drawn.keys():
        raise InputError(
            f"{images} ({len(found)} images) and {strokes} ({len(drawn)} files with strokes) have "
            "no file name in common; a.jpg belongs to a.png, a.xml, a.json, a.npy or a.tif"
        )
    return _paired(found, drawn, "strokes", "strokes", (*pictures.remarks, *files.remarks))


def _pair_beside(folder: Path) -> Pairing:
    """Strokes beside the images: those of the page come first, then labelme's JSON.

    Nothing else can be told from an image there.
    """
    documents = list_files(folder, {".json"}).files
    pictures = list_files(folder, IMAGE_SUFFIXES, used=documents)
    found = by_stem(folder, pictures.files)
    paged = _paged(documents, [path.name for path in pictures.files])
    others = [path for path in documents if not path.name.endswith(PAGE_SUFFIX)]
    drawn = {name_key(path.stem): path for path in others} | paged
    if not found.keys() & drawn.keys():
        raise InputError(
            f"{folder}: {len(found)} images and no strokes beside them; expected a.json of labelme "
            f"or a{PAGE_SUFFIX} of the page beside a.jpg"
        )
    return _paired(found, drawn, "strokes", "JSON files", pictures.remarks)


def _paged(files: Collection[Path], images: Collection[str]) -> dict[str, Path]:
    """Files of the page by the stem of the image that owns them, or by their own name."""
    named: dict[str, list[str]] = defaultdict(list)
    for image in images:
        for key in {name_key(image), name_key(Path(image).stem)}:
            named[key].append(image)
    found = {}
    for path in files:
        if path.name.endswith(PAGE_SUFFIX):
            base = path.name.removesuffix(PAGE_SUFFIX)
            owner = owner_of(path, named[name_key(base)])
            found[name_key(Path(owner).stem if owner else path.name)] = path
    return found


def _paired(
    images: dict[str, Path],
    drawn: dict[str, Path],
    what: str,
    plural: str,
    remarks: Collection[str],
) -> Pairing:
    stems = sorted(images.keys() & drawn.keys())
    lonely = (
        some_names(
            f"images without {'a map' if what == 'map' else what}",
            (images[s] for s in images.keys() - drawn.keys()),
        ),
        some_names(f"{plural} without an image", (drawn[s] for s in drawn.keys() - images.keys())),
    )
    pairs = tuple(Pair(images[stem], drawn[stem]) for stem in stems)
    return Pairing(pairs, (*(line for line in lonely if line), *remarks))


def _pair_entries(images: Path, strokes: Path) -> Pairing:
    """The images of a folder and the entries of one file, by the name of the image."""
    from saccade.formats.entries import find_entries, image_path
    from saccade.formats.listing import empty_entries, entry_names

    with copied(strokes) as (file,):
        names = entry_names(file)
        empty = empty_entries(file) if len(names) > 1 else frozenset()
    if not names:
        raise InputError(
            f"{images} is a folder and {strokes} is a file of one image; expected two files, two "
            "folders, or a COCO, CVAT or Label Studio file for all images"
        )
    pictures = list_files(images, IMAGE_SUFFIXES, used=[images / strokes.name])
    found = by_stem(images, pictures.files)
    entries = find_entries(names, map(str, found.values()), str(strokes))
    if twice := [i for i, count in Counter(entries).items() if i is not None and count > 1]:
        raise InputError(
            f"{strokes}: one entry ('{last_part(image_path(names[twice[0]]))}') is of "
            f"{entries.count(twice[0])} images in {images}; give each its own file_name"
        )
    entry_of = {
        stem: None if entry in empty and len(empty) < len(names) else entry
        for stem, entry in zip(found, entries, strict=True)
    }
    pairs = tuple(
        Pair(found[stem], strokes, str(found[stem]))
        for stem in sorted(found)
        if entry_of[stem] is not None
    )
    if not pairs:
        named = ", ".join(f"'{last_part(image_path(name))}'" for name in names[:3])
        raise InputError(
            f"{strokes}: none of its {len(names)} entries is of an image in {images} "
            f"({len(found)} images); the first are {named}"
        )
    unused = [Path(image_path(names[i])) for i in sorted(set(range(len(names))) - set(entries))]
    lonely = (
        some_names("images without strokes", (found[s] for s, i in entry_of.items() if i is None)),
        some_names("entries without an image", unused),
    )
    return Pairing(pairs, (*(line for line in lonely if line), *pictures.remarks))


def _entry_of(image: Path, strokes: Path) -> str | None:
    """The name by which the entry of an image is picked, where the file has several."""
    if strokes.suffix.lower() not in (".json", ".xml"):
        return None
    from saccade.formats.listing import entry_names

    with copied(strokes) as (file,):
        return str(image) if len(entry_names(file)) > 1 else None

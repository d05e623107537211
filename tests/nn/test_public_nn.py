import importlib
import pkgutil

import saccade.nn

MODULES = [module.name for module in pkgutil.iter_modules(saccade.nn.__path__, "saccade.nn.")]
# Parts that make sense only inside of the layers.
PARTS = {
    "ConvNormAct",
    "ConvSampling",
    "ImagePooling",
    "NonLocalSampling",
    "RandomOffsetConv2d",
    "SamplingOptions",
    "SeededConv2d",
    "SeparableConvNormAct",
}


def test_all_is_sorted_and_names_exist() -> None:
    names = saccade.nn.__all__
    assert names == sorted(names)
    assert all(hasattr(saccade.nn, name) for name in names)


def test_every_public_layer_is_in_all() -> None:
    layers = {
        name
        for module in map(importlib.import_module, MODULES)
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and name[0] != "_"
    }
    assert layers - PARTS == set(saccade.nn.__all__)

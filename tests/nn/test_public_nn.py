import saccade.nn
from saccade.nn import gaussian, guided, pyramid, sampling, variant


def test_all_is_sorted_and_names_exist() -> None:
    names = saccade.nn.__all__
    assert names == sorted(names)
    assert all(hasattr(saccade.nn, name) for name in names)


def test_every_public_layer_is_in_all() -> None:
    layers = {
        name
        for module in (gaussian, guided, pyramid, sampling, variant)
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and name[0] != "_"
    }
    # Parts that make sense only inside of those.
    parts = {"ConvNormAct", "SeparableConvNormAct", "ImagePooling", "ConvSampling"}
    assert layers - parts - {"NonLocalSampling"} == set(saccade.nn.__all__)

"""The systems that move pixels."""

from limner.catalog.entry import Entry, Preset
from limner.data.distorted import DistortedConfig
from limner.data.gazes import GazesConfig
from limner.systems.feedforward import deep_warp, spatial_transformer
from limner.tasks.redirect import REDIRECT
from limner.tasks.straighten import STRAIGHTEN

DEEP_WARP = Entry(
    name="deep-warp",
    title="DeepWarp",
    paper="Ganin, Kononenko, Sungatullina, Lempitsky 2016, arXiv:1607.07215",
    tasks=(REDIRECT,),
    system=deep_warp.DeepWarp,
    presets={
        "modern": Preset("half the widths, l1, bf16", deep_warp.MODERN, deep_warp.FIT_MODERN, GazesConfig()),
        "paper": Preset("as published", deep_warp.DEEP_WARP_2016, deep_warp.FIT_2016, GazesConfig()),
    },
    small=("widths=[4,8,8,8]", "fit.optimizer.learning_rate=0.01"),
)

SPATIAL_TRANSFORMER = Entry(
    name="spatial-transformer",
    title="Spatial transformer",
    paper="Jaderberg, Simonyan, Zisserman, Kavukcuoglu 2015, arXiv:1506.02025",
    tasks=(STRAIGHTEN,),
    system=spatial_transformer.SpatialTransformer,
    presets={
        "modern": Preset(
            "fully connected, Adam, EMA",
            spatial_transformer.MODERN,
            spatial_transformer.FIT_MODERN,
            DistortedConfig(),
        ),
        "paper": Preset(
            "as published: SGD",
            spatial_transformer.SPATIAL_TRANSFORMER_2015,
            spatial_transformer.FIT_2015,
            DistortedConfig(),
        ),
    },
    small=("kilo_parameters=3", "localisation=4", "data.copies=1", "fit.optimizer.learning_rate=0.01"),
)

ENTRIES = (DEEP_WARP, SPATIAL_TRANSFORMER)

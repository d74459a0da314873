"""The systems that move pixels."""

from limner.catalog.entry import Entry, Preset
from limner.data.gazes import GazesConfig
from limner.systems.feedforward import deep_warp
from limner.tasks.redirect import REDIRECT

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

ENTRIES = (DEEP_WARP,)

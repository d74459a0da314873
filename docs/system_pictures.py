"""Make the pictures of `limner models --gallery`, one a system: `python docs/system_pictures.py` (a minute).

They are small, and lie in the package: some are those of docs/images, whose commands docs/gallery.md names; others are
made here by a model that comes with Limner. A system of which neither shows anything has none.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from PIL import Image as PillowImage

import limner
from limner.files.image import Picture, read_image, to_tensor
from limner.media.contact_sheet import Panel, contact_sheet
from limner.verbs.stylize.named_styles import named_styles
from limner.verbs.upscale.before_after import with_truth
from limner.verbs.upscale.upscale import Upscaler, default_scale

ROOT = Path(__file__).resolve().parent.parent
IMAGES, PLACE = ROOT / "docs" / "images", ROOT / "src" / "limner" / "gallery"
PHOTO = ROOT / "src" / "limner" / "demo" / "astronaut.jpg"
SIDE, QUALITY = 720, 80

OF_THE_GALLERY: Mapping[str, str] = {
    "fast-style": "instance_norm.jpg",
    "many-styles": "one_pass.jpg",
    "any-style": "any_style.jpg",
    "texture-network": "texture_network.jpg",
    "acgan": "digits.png",
    "vae": "new_faces.png",
    "chairs": "chairs.png",
    "pix2pix": "drawings.jpg",
    "spade": "drawings.jpg",
    "deep-warp": "gazes.jpg",
    "spatial-transformer": "straightened.gif",
    "style": "styles.jpg",
    "inversion": "natural_preimages.jpg",
    "activation": "activation_priors.jpg",
    "deep_image_prior": "deep_image_prior_inpainted.jpg",
}
"""Pictures of docs/images by the systems that they show; of photos there are only those that NOTICE names."""
ENLARGERS = {
    "vdsr": "vdsr",
    "srresnet": "srresnet",
    "edsr": "edsr-x2",
    "perceptual-super-resolution": "perceptual",
    "srgan": "srgan",
}


def enlarged(model: str) -> PillowImage.Image:
    """The most detailed part of a photo that was shrunk: by bicubic interpolation, by a model, and as it was."""
    upscaler = Upscaler(model, default_scale(model), limner.RunOptions())
    return _image(with_truth(upscaler, read_image(PHOTO), label=model).sheet)


def painted() -> PillowImage.Image:
    """A photo, and the same in three paintings by AdaIN."""
    photo = to_tensor(read_image(PHOTO))
    names = ("great-wave", "starry-night", "composition-vii")
    paintings = [Panel(name, limner.stylize(photo, named_styles()[name], method="adain")) for name in names]
    return _image(contact_sheet([Panel("the photo", photo), *paintings]))


def digits() -> PillowImage.Image:
    """Digits of the conditional GAN, of each class four."""
    made = limner.generate("digits-cgan", range(10), count=40)
    rows = [torch.cat([*row], -1) for row in made.split(10)]
    gray = torch.cat(rows, -2)[0]
    return PillowImage.fromarray((255 * gray).round().to(torch.uint8).numpy())


def textures() -> PillowImage.Image:
    """Of the textures of docs/images the lower row, that of a painting."""
    image = PillowImage.open(IMAGES / "textures.jpg")
    return image.crop((0, image.height // 2, image.width, image.height))


def main() -> None:
    """Make all pictures anew."""
    makers: dict[str, Callable[[], PillowImage.Image]] = {
        **{system: partial(enlarged, model) for system, model in ENLARGERS.items()},
        **{system: partial(PillowImage.open, IMAGES / name) for system, name in OF_THE_GALLERY.items()},
        "adain": painted,
        "texture": textures,
        "conditional-gan": digits,
    }
    PLACE.mkdir(exist_ok=True)
    for old in PLACE.glob("*.webp"):
        old.unlink()
    for system, make in makers.items():
        image = make().convert("RGB")
        image.thumbnail((SIDE, SIDE), PillowImage.Resampling.LANCZOS)
        image.save(PLACE / f"{system}.webp", quality=QUALITY, method=6)


def _image(picture: Picture) -> PillowImage.Image:
    return PillowImage.fromarray(picture.as_8_bit().pixels)


if __name__ == "__main__":
    main()

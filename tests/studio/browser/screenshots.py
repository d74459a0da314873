"""The pictures of the studio in the docs.

limner studio --no-browser
python tests/studio/browser/screenshots.py http://127.0.0.1:7860/ docs/images
"""

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
SECONDS = 120
DESK, PHONE = (1280, 800), (390, 844)
GAP = 24  # pixels between phones


def draw(page: Page) -> None:
    page.click("[data-act=example]")
    page.wait_for_selector(".paper img")
    page.wait_for_selector(".paper:not(.busy)")


def stylize(page: Page) -> None:
    page.click(".sample >> nth=0")
    page.click("[data-style=great-wave]")
    page.check("#mix-styles")
    page.click("[data-style=stained-glass]")
    run(page)


def enlarge(page: Page) -> None:
    page.click(".sample >> nth=1")
    page.wait_for_selector(".single")
    run(page)


def run(page: Page) -> None:
    page.click("[data-act=run]")
    page.wait_for_selector("#stage[data-state=done]")


def gallery(page: Page) -> None:
    page.click(".card-open >> nth=0")


def shot(
    browser: Browser, address: str, place: str, does: Callable[[Page], None], size: tuple[int, int], scheme: str
) -> Image.Image:
    is_phone = size == PHONE
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, is_mobile=is_phone, has_touch=is_phone
    )  # fmt: skip
    context.set_default_timeout(SECONDS * 1000)
    page = context.new_page()
    page.goto(f"{address}#/{place}")
    page.wait_for_selector("html[data-ready]", state="attached")
    does(page)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)
    data = page.screenshot()
    context.close()
    return Image.open(BytesIO(data)).convert("RGB")


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    width = sum(one.width for one in pictures) + GAP * (len(pictures) - 1)
    sheet = Image.new("RGB", (width, max(one.height for one in pictures)), "white")
    left = 0
    for one in pictures:
        sheet.paste(one, (left, 0))
        left += one.width + GAP
    return sheet


def main(address: str, folder: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        pictures = {
            "draw": shot(browser, address, "draw", draw, DESK, "light"),
            "stylize": shot(browser, address, "stylize", stylize, DESK, "dark"),
            "phone": side_by_side(
                [
                    shot(browser, address, "draw", draw, PHONE, "light"),
                    shot(browser, address, "upscale", enlarge, PHONE, "dark"),
                    shot(browser, address, "gallery", gallery, PHONE, "light"),
                ]
            ),
            "gallery": shot(browser, address, "gallery", gallery, DESK, "light"),
        }
        browser.close()
    for name, picture in pictures.items():
        picture.save(folder / f"studio-{name}.webp", quality=86, method=6)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

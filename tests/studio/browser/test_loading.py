"""How soon the pages of a studio are there, and that nothing in them moves while they load."""

import pytest
from playwright.sync_api import Page
from tests.studio.browser.conftest import DESK, PHONE, Opens, drop, hash_of, run_until_done
from tests.studio.conftest import Service, png

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

STEADY = 0.02  # the sum of layout shifts: a fifth of what is called good
SOON = 1000  # milliseconds until a page may be used, of the fastest of some tries: others may use the machine

PLACES = ("", "#/stylize", "#/restore-inpaint", "#/generate", "#/train")  # each lays out another kind of page

WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const one of list.getEntries()) {
        const moved = one.sources.map(({ node }) => (node?.nodeType === 1 ? node : node?.parentElement)?.className);
        if (!one.hadRecentInput) window.shifts.push([one.value, moved]);
    }
}).observe({ type: "layout-shift", buffered: true });
const open = IDBFactory.prototype.open; // what the browser keeps comes late, as on a slow machine
IDBFactory.prototype.open = function (...given) {
    const kept = open.apply(this, given), late = {};
    kept.onupgradeneeded = () => { late.result = kept.result; late.onupgradeneeded(); };
    kept.onsuccess = () => { late.result = kept.result; setTimeout(() => late.onsuccess(), 300); };
    return late;
};
"""


def load(page: Page, address: str) -> float:
    """Load a page as if its address had been typed, and give the milliseconds until it may be used."""
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("html[data-ready]", state="attached")
    return float(page.evaluate("performance.now()"))


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_jumps_while_a_page_loads(size: tuple[int, int], service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("upscale", scale=2), size=size)
    drop(page, "#stage", {"small.png": png(12, 8)})
    job = run_until_done(page)
    page.context.add_init_script(WATCH)
    places = [*PLACES, f"#/upscale?job={job}", f"#/gallery?job={job}"]
    jumped = {}
    for place in places:
        load(page, service.address + place)
        page.wait_for_timeout(500)  # pictures and lists may come a little later
        shifts = page.evaluate("window.shifts")
        if (sum_of := sum(value for value, _ in shifts)) >= STEADY:
            jumped[place] = (sum_of, [moved for value, moved in shifts if value > STEADY / 10])
    assert not jumped


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_page_may_be_used_within_a_second(size: tuple[int, int], service: Service, opens: Opens) -> None:
    page = opens(service.address, size=size)
    for place in ("", "#/stylize", "#/gallery"):
        taken = [load(page, service.address + place) for _ in range(3)]
        assert min(taken) < SOON, (place, taken)

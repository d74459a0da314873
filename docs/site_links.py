"""Follow every link and picture of the built site as a browser does that opens its files: `python docs/site_links.py`.

No link may need a server, so each leads to a file, not to a folder; and each anchor is there.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from staging import ROOT

SITE = ROOT / "site"


class Page(HTMLParser):
    """What a page links to, and what can be linked to on it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take links and anchors from a tag."""
        found = dict(attrs)
        self.links += [value for name in ("href", "src") if (value := found.get(name))]
        self.anchors |= {value for name in ("id", "name") if (value := found.get(name))}


def broken(site: Path) -> Iterator[str]:
    """Yield a line for each link that leads nowhere, as `index.html: style.html#none`."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    for path, page in pages.items():
        if path.name != "404.html":  # which a server shows at any address, so its links begin at the top
            yield from (
                f"{path.relative_to(site.resolve())}: {link}"
                for link in page.links
                if _leads_nowhere(path, link, pages)
            )


def _leads_nowhere(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return False
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir() or parts.path.startswith("/"):
        return True
    if target not in pages or not parts.fragment:
        return not target.is_file()
    return unquote(parts.fragment) not in pages[target].anchors


def main() -> int:
    """Print what is broken, and give the exit code."""
    found = list(broken(SITE))
    for line in found:
        print(line, file=sys.stderr)
    print(f"{len(found)} broken links in {len(list(SITE.rglob('*.html')))} pages")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())

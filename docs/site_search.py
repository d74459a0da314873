"""Let the search of the built site work on files that no server gives: `python docs/site_search.py`.

A browser lets a page that is a file start no worker from another file, and read no JSON. So each page gets a script
that holds the worker's source and starts it from there, and the index lies beside it as a script too. Where a server
gives the site, neither is used.
"""

import json
import re
import sys

from staging import ROOT

SITE = ROOT / "site"
_SCRIPT = "assets/javascripts/search-of-files.js"
_BUNDLE = re.compile(r'<script src="(?P<top>[^"]*)assets/javascripts/bundle\.[^"]*"')


def script(worker: str) -> str:
    """What starts a worker from its source, wherever the page that asks for one is a file."""
    return f"""if (location.protocol === "file:") {{
  const source = {json.dumps(worker)}
  const OfServers = Worker
  window.Worker = class extends OfServers {{
    constructor() {{
      super(URL.createObjectURL(new Blob([source], {{ type: "text/javascript" }})))
    }}
  }}
}}
"""


def with_script(page: str) -> str:
    """A page that loads the script before all that searches.

    Raises:
        ValueError: If the page loads nothing that searches.
    """
    found = _BUNDLE.search(page)
    if found is None:
        raise ValueError("the page loads no bundle of scripts: the site's tool has changed, and so must this")
    return f'{page[: found.start()]}<script src="{found["top"]}{_SCRIPT}"></script>{page[found.start() :]}'


def main() -> int:
    """Write the scripts and change every page."""
    (worker,) = (SITE / "assets/javascripts/workers").glob("search.*.js")
    (SITE / _SCRIPT).write_text(script(worker.read_text(encoding="utf-8")), encoding="utf-8")
    index = (SITE / "search.json").read_text(encoding="utf-8")
    (SITE / "search.js").write_text(f"var __index = {index}\n", encoding="utf-8")
    pages = list(SITE.rglob("*.html"))
    for path in pages:
        path.write_text(with_script(path.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{len(pages)} pages can be searched without a server")
    return 0


if __name__ == "__main__":
    sys.exit(main())

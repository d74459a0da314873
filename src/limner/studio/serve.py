"""`limner studio` and `limner serve`: the service on a port of this machine."""

import ipaddress
import os
import socket
import sys
import threading
import time
import webbrowser
from pathlib import Path

import psutil

from limner.cli.commands.studio import Options
from limner.cli.errors import say
from limner.errors import LimnerError
from limner.files.lock import alone_at
from limner.memory import free_bytes
from limner.studio.guard import App
from limner.studio.settings import Settings

_SHARE = 0.9  # of the memory that is free when it starts, which the process that computes may take


def run(options: Options) -> None:
    """Serve until it is stopped.

    Raises:
        LimnerError: If the port is taken, or the extra `web` is not installed.
    """
    begun = time.monotonic()
    try:
        import uvicorn

        from limner.studio.service import service
    except ImportError as error:
        raise LimnerError(f"this needs {error.name}: pip install '.[web]' in the folder of Limner") from None

    def since() -> str:
        return f"{time.monotonic() - begun:.1f}"

    settings = settings_of(options)
    if options.has_page and not is_local(options.host) and settings.key is None:
        raise LimnerError(f"who opens the page at {options.host} may read and train as you may: ask for a --key")
    place = listening(options.host, options.port)
    host = f"[{options.host}]" if ":" in options.host else options.host
    address = f"http://{host}:{place.getsockname()[1]}/"

    def ready() -> None:
        say(f"{address}  ready in {since()} s, {_mebibytes(psutil.Process().memory_info().rss)}; Ctrl-C ends it")
        if options.opens_browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    app: App = service(
        settings,
        on_ready=ready,
        on_worker=lambda resident: say(f"models are ready after {since()} s, {_mebibytes(resident)}"),
    )
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
    )  # fmt: skip
    settings.folder.mkdir(parents=True, exist_ok=True)
    with alone_at(settings.folder / "jobs.sqlite", "these jobs"):
        uvicorn.Server(config).run(sockets=[place])


def settings_of(options: Options) -> Settings:
    """What the command asks for."""
    return Settings(
        folder=(options.folder or usual_folder()).resolve(),
        models=tuple(options.models),
        device=options.device,
        threads=options.threads,
        max_bytes=options.max_megabytes * 2**20,
        max_pixels=options.max_pixels,
        max_memory=int(options.max_gigabytes * 2**30) if options.max_gigabytes else int(_SHARE * free_bytes()),
        max_waiting=options.max_waiting,
        max_seconds=options.max_seconds,
        max_jobs=options.max_jobs,
        key=options.key,
        hosts=(*options.host_names, *([options.host] if options.host not in ("0.0.0.0", "::") else [])),
        page=options.has_page,
        train_in=None if options.data_places is None else tuple(options.data_places),
    )


def usual_folder() -> Path:
    """Where a user's programs keep data."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "limner" / "studio"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "limner" / "studio"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "limner" / "studio"


def is_local(host: str) -> bool:
    """Whether only this machine reaches an address.

    >>> is_local("127.0.0.1"), is_local("localhost"), is_local("::1"), is_local("0.0.0.0"), is_local("192.168.1.4")
    (True, True, True, False, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _mebibytes(resident: int) -> str:
    return f"{resident / 2**20:.0f} MiB"


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections, which wait for the service; port 0 is one that is free.

    Raises:
        LimnerError: If the port is taken, or the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen()  # or who is told that it is ready may still be refused
    except OSError as error:
        raise LimnerError(f"{host}:{port} cannot be listened at ({error.strerror}): name another with --port") from None
    return found

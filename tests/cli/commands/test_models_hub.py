"""`limner models pull` and `limner models push`, with a small Hub on this machine; nothing leaves it."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
import torch
from safetensors.torch import save_file
from tests.cli.commands.test_models import make_card

import limner as public
from limner.catalog.models import weights_path
from limner.cli.main import main
from limner.errors import LimnerError
from limner.files.cards import read_card, write_card
from limner.files.weights import load_weights, read_header, save_weights, sha256

constants = pytest.importorskip("huggingface_hub.constants", reason="needs the hub extra: pip install '.[hub]'")

FIRST, SECOND = "1" * 40, "2" * 40


class Hub(BaseHTTPRequestHandler):
    """The few paths of the Hub that its library asks for here."""

    protocol_version = "HTTP/1.1"
    commits: ClassVar[dict[str, dict[str, dict[str, bytes]]]] = {}
    """repository -> commit, the last one is main -> file -> bytes"""
    asked: ClassVar[list[str]] = []
    agents: ClassVar[set[str]] = set()
    digest: ClassVar[str | None] = None
    """A SHA-256 that the Hub tells instead of the right one."""
    private: ClassVar[set[str]] = set()

    def log_message(self, *arguments: object) -> None:
        """Not on standard error."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.note()
        words = self.path.partition("?")[0].strip("/").split("/")
        if words[:2] == ["api", "models"]:
            self.tell(f"{words[2]}/{words[3]}", words[5] if len(words) > 5 else None)
        else:
            self.give("/".join(words[:2]), words[3], "/".join(words[4:]))

    def do_POST(self) -> None:
        self.note()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/api/repos/create":
            made = json.loads(body)
            name = f"{made['organization']}/{made['name']}" if made.get("organization") else made["name"]
            if self.headers.get("Authorization") != "Bearer hf_right":
                self.answer({"error": "You have no right to create this"}, 403)
                return
            if name in self.commits:
                self.answer({"error": "You already created this", "url": f"http://{self.headers['Host']}/{name}"}, 409)
                return
            self.commits[name] = {"0" * 40: {".gitattributes": b""}}
            self.answer({"url": f"http://{self.headers['Host']}/{name}", "name": name})
        elif self.path == "/api/validate-yaml":
            self.answer({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            files = json.loads(body)["files"]
            self.answer(
                {"files": [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in files]}
            )
        else:
            self.commit("/".join(self.path.split("/")[3:5]), [json.loads(line) for line in body.splitlines()])

    def note(self) -> None:
        self.asked.append(self.path)
        self.agents.add(self.headers["User-Agent"])

    def commit(self, name: str, lines: list[dict[str, Any]]) -> None:
        files = {**list(self.commits[name].values())[-1]}
        for line in lines:
            if line["key"] == "file":
                files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        oid = str(len(self.commits[name]) + 4) * 40
        self.commits[name][oid] = files
        self.answer(
            {"success": True, "commitOid": oid, "commitUrl": f"http://{self.headers['Host']}/{name}/commit/{oid}"}
        )

    def commit_of(self, name: str, revision: str | None) -> str | None:
        commits = {} if name in self.private else self.commits.get(name, {})
        return (
            list(commits)[-1] if commits and revision in (None, "main") else revision if revision in commits else None
        )

    def tell(self, name: str, revision: str | None) -> None:
        if self.commit_of(name, revision) is None:
            is_there = name in self.commits and name not in self.private
            code = "RevisionNotFound" if is_there else "RepoNotFound"
            self.answer({"error": "not found"}, 404, {"X-Error-Code": code})
            return
        commit = self.commit_of(name, revision)
        siblings = [
            {"rfilename": file, "size": len(data), "lfs": self.lfs(data)} if file.endswith(".safetensors")
            else {"rfilename": file} for file, data in self.commits[name][commit].items()
        ]  # fmt: skip
        self.answer({"id": name, "sha": commit, "siblings": siblings})

    def lfs(self, data: bytes) -> dict[str, Any]:
        return {"sha256": self.digest or hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}

    def give(self, name: str, commit: str, file: str) -> None:
        data = self.commits[name][commit][file]
        headers = {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
        self.send(data, 200, headers)

    def answer(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send(json.dumps(value).encode(), status, {"Content-Type": "application/json", **(headers or {})})

    def send(self, data: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


@pytest.fixture
def served(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """The small Hub, where the library looks for the large one; no token of this machine's user is seen."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(place / "no token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    Hub.commits, Hub.asked, Hub.agents, Hub.digest, Hub.private = {}, [], set(), None, set()
    yield Hub
    server.shutdown()
    server.server_close()


@pytest.fixture
def shared(served: type[Hub], tiny: Path) -> Path:
    """A tiny model with its card on the Hub, as `acme/small`."""
    write_card(tiny.with_suffix(".toml"), make_card(tiny))
    files = {"model.safetensors": tiny.read_bytes(), "model.toml": tiny.with_suffix(".toml").read_bytes()}
    served.commits["acme/small"] = {FIRST: {"README.md": b"hello", **files}}
    return tiny


def kept(place: Path) -> list[str]:
    return sorted(one.name for one in (place / "own cache").rglob("*") if one.is_file())


def test_a_model_is_pulled_pinned_and_named(limner: Callable, place: Path, shared: Path, drawn: Callable) -> None:
    done = limner("models", "pull", "acme/small")
    path = place / "own cache" / "hub" / "acme" / "small" / FIRST / "small.safetensors"
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{path}  vdsr, commit {FIRST}, for limner upscale --model acme/small\n"
    assert path.read_bytes() == shared.read_bytes()
    assert read_card(path.with_suffix(".toml")).licence == "Apache-2.0"
    record = json.loads(path.with_name("pulled.json").read_text())
    assert record == {"repository": "acme/small", "commit": FIRST, "asked": "", "sha256": sha256(shared)}
    assert kept(place) == ["pulled.json", "small.safetensors", "small.toml"]
    drawn(place / "a.png")
    assert limner("upscale", "a.png", "--model", "acme/small").out.startswith("a_x2_small.png  40x32")
    assert limner("upscale", "a.png", "--model", f"acme/small@{FIRST[:8]}", "-o", "b.png").code == 0
    assert "acme/small" in [line.split()[0] for line in limner("models").out.splitlines()]
    told = {one["name"]: one for one in json.loads(limner("models", "--json").out)}["vdsr"]["weights"]
    assert [one["revision"] for one in told if one["name"] == "acme/small"] == [FIRST]


def test_our_calls_say_nothing_of_this_machine(limner: Callable, shared: Path, served: type[Hub]) -> None:
    before = constants.HF_HUB_DISABLE_TELEMETRY
    assert limner("models", "pull", "acme/small").code == 0
    assert served.agents
    assert not any("torch" in agent for agent in served.agents)
    assert before == constants.HF_HUB_DISABLE_TELEMETRY


def test_a_commit_that_is_kept_is_not_asked_for_again(limner: Callable, shared: Path, served: type[Hub]) -> None:
    first = json.loads(limner("models", "pull", f"acme/small@{FIRST}", "--json").out)
    assert (first["revision"], first["sha256"], first["header"]["system"]) == (FIRST, sha256(shared), "vdsr")
    served.asked.clear()
    assert json.loads(limner("models", "pull", f"acme/small@{FIRST}", "--json").out) == first
    assert served.asked == []
    Path(first["path"]).write_bytes(b"damaged")
    assert limner("models", "pull", f"acme/small@{FIRST}").code == 0
    assert sha256(Path(first["path"])) == sha256(shared)


def test_without_a_network_what_is_kept_is_taken(
    limner: Callable, shared: Path, served: type[Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert limner("models", "pull", "acme/small").code == 0
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    again = limner("models", "pull", "acme/small")
    assert (again.code, f"commit {FIRST} is here, and is taken" in again.err) == (0, True)
    refused = limner("models", "pull", "acme/other")
    assert refused.code == 2
    assert refused.error.startswith("the Hub gives no answer on acme/other (OfflineModeIsEnabled): connect")


def test_a_hub_that_is_not_there_is_one_line(limner: Callable, served: type[Hub], monkeypatch: Any) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    refused = limner("models", "pull", "acme/small")
    assert (refused.code, "gives no answer on acme/small (ConnectError)" in refused.error) == (2, True)


def test_a_newer_commit_is_the_one_that_the_name_means(
    limner: Callable, place: Path, shared: Path, served: type[Hub]
) -> None:
    assert limner("models", "pull", "acme/small").code == 0
    header, tensors = load_weights(shared)
    save_weights(place / "new.safetensors", {name: one * 2 for name, one in tensors.items()}, header)
    served.commits["acme/small"][SECOND] = {"any.safetensors": (place / "new.safetensors").read_bytes()}
    assert f"commit {SECOND}" in limner("models", "pull", "acme/small").out
    assert weights_path("acme/small").read_bytes() == (place / "new.safetensors").read_bytes()
    assert weights_path(f"acme/small@{FIRST}").read_bytes() == shared.read_bytes()
    assert f"commit {FIRST}" in limner("models", "pull", f"acme/small@{FIRST}").out


def test_a_copy_goes_where_it_is_told(limner: Callable, place: Path, shared: Path, served: type[Hub]) -> None:
    done = limner("models", "pull", "acme/small", "-o", "mine.safetensors")
    assert done.out.startswith("mine.safetensors  vdsr, ")
    assert Path("mine.safetensors").read_bytes() == shared.read_bytes()
    assert read_card(Path("mine.toml")).system == "vdsr"
    assert "is already there: pass --force" in limner("models", "pull", "acme/small", "-o", "mine.safetensors").error
    assert limner("models", "pull", "acme/small", "-o", "mine.safetensors", "--force").code == 0
    assert "a weight file ends with .safetensors" in limner("models", "pull", "acme/small", "-o", "mine.pth").error


def test_a_dry_run_pulls_nothing(limner: Callable, place: Path, shared: Path) -> None:
    shown = limner("models", "pull", "acme/small", "--dry-run")
    assert shown.out.startswith(f"acme/small@{FIRST}/model.safetensors -> {place / 'own cache'}")
    planned = json.loads(limner("models", "pull", "acme/small", "--dry-run", "--json", "-o", "a.safetensors").out)
    assert planned["planned"][0]["output"] == "a.safetensors"
    assert not kept(place) and not Path("a.safetensors").exists()


REFUSED = {
    "acme/none": "the Hub shows no model acme/none: check its name; if it is private, hf auth login or set HF_TOKEN",
    "acme/secret": "the Hub shows no model acme/secret: check its name; if it is private",
    "acme/small@v9": "acme/small has no revision 'v9': name a branch, a tag or a commit of it",
    "small": "a model of the Hub is OWNER/NAME or OWNER/NAME@REVISION, got 'small': name it so",
    "../small": "a model of the Hub is OWNER/NAME",
    "acme/a--b": "acme/a--b is no name that the Hub takes",
    "acme/pickle": "a model of Limner's is a .safetensors file, acme/pickle has none: name another; limner import",
    "acme/many": "acme/many has 2 and no model.safetensors",
    "acme/disguised": "model.safetensors of acme/disguised is no safetensors file: name another model",
    "acme/stranger": "model.safetensors of acme/stranger is no weight file of Limner's: name another model",
    "acme/misfit": "acme/misfit: model.safetensors does not hold the weights of vdsr as its header says",
    "acme/cardless": "acme/cardless: model.toml is no card",
    "acme/mixed": "acme/mixed: model.toml is the card of other weights (its SHA-256 differs)",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_pulled_is_one_line(
    limner: Callable, place: Path, shared: Path, served: type[Hub], name: str
) -> None:
    whole, pickled = shared.read_bytes(), b"\x80\x04\x95" + bytes(range(200))
    save_file({"weight": torch.zeros(2)}, place / "other.safetensors", {"format": "pt"})
    header, tensors = load_weights(shared)
    wrong = header.model_copy(update={"config": {**header.config, "channels": 8}})
    save_weights(place / "misfit.safetensors", tensors, wrong)
    write_card(place / "mixed.toml", make_card(place / "misfit.safetensors"))
    for repository, files in {
        "acme/secret": {"model.safetensors": whole},
        "acme/pickle": {"pytorch_model.bin": pickled},
        "acme/many": {"a.safetensors": whole, "b.safetensors": whole},
        "acme/disguised": {"model.safetensors": pickled},
        "acme/stranger": {"model.safetensors": (place / "other.safetensors").read_bytes()},
        "acme/misfit": {"model.safetensors": (place / "misfit.safetensors").read_bytes()},
        "acme/cardless": {"model.safetensors": whole, "model.toml": b"a = 1"},
        "acme/mixed": {"model.safetensors": whole, "model.toml": (place / "mixed.toml").read_bytes()},
    }.items():
        served.commits[repository] = {SECOND: files}
    served.private.add("acme/secret")
    refused = limner("models", "pull", name)
    assert (refused.code, REFUSED[name] in refused.error) == (2, True), refused.err
    assert not kept(place)
    if name in ("acme/disguised", "acme/stranger"):
        assert [one for one in served.asked if "resolve" in one] == [f"/{name}/resolve/{SECOND}/model.safetensors"]


def test_another_file_than_the_hub_tells_is_not_kept(
    limner: Callable, place: Path, shared: Path, served: type[Hub]
) -> None:
    served.digest = "0" * 64
    assert "came with another SHA-256 than the Hub tells" in limner("models", "pull", "acme/small").error
    assert not kept(place)


def test_a_model_is_pushed_with_a_page_and_pulled_again(
    limner: Callable, place: Path, shared: Path, served: type[Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("models", "push", shared, "me/mine")
    assert limner(*words).error.startswith("a push needs your own token of huggingface.co, got none")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    refused = limner(*words)
    assert (refused.code, refused.error.startswith("the Hub refuses me/mine (")) == (2, True)
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    pushed = json.loads(limner(*words, "--json").out)
    files = served.commits["me/mine"][pushed["revision"]]
    assert set(pushed["files"]) == {"README.md", "model.safetensors", "model.toml"} <= set(files)
    assert files["model.safetensors"] == shared.read_bytes()
    assert files["model.toml"] == shared.with_suffix(".toml").read_bytes()
    page = files["README.md"].decode().splitlines()
    assert page[:8] == [
        "---", "library_name: limner", "license: apache-2.0", "tags:", "- limner", "- vdsr", "---", "",
    ]  # fmt: skip
    assert {"# mine", "limner models pull me/mine", "limner upscale --model me/mine"} <= set(page)
    assert {"| trained on | pictures (CC0) |", f"| SHA-256 | `{sha256(shared)}` |"} <= set(page)
    assert "| Set5 x2 | psnr 37.5, ssim 0.958, bicubic_psnr 33.66, paper_psnr 37.53 |" in page
    assert "model.safetensors, model.toml is already there: pass --force" in limner(*words).error
    forced = limner(*words, "--force")
    assert forced.code == 0, forced.err
    assert limner("models", "pull", "me/mine").code == 0
    assert read_header(weights_path("me/mine")) == read_header(shared)


def test_what_cannot_be_pushed_is_refused_before_the_hub_is_asked(
    limner: Callable, place: Path, shared: Path, served: type[Hub]
) -> None:
    Path("a.pth").write_bytes(b"\x80\x04")
    assert "a model is a .safetensors file or the folder of a run" in limner("models", "push", "a.pth", "me/a").error
    Path("b.safetensors").write_bytes(b"\x80\x04")
    assert "is not a whole safetensors file" in limner("models", "push", "b.safetensors", "me/a").error
    assert "name OWNER/NAME alone" in limner("models", "push", shared, "me/a@v1").error
    shown = limner("models", "push", shared, "me/a", "--dry-run").out.splitlines()
    assert shown[:2] == ["the header and the card -> me/a/README.md", f"{shared} -> me/a/model.safetensors"]
    assert served.asked == []


def test_the_python_calls_do_the_same(place: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = public.pull("acme/small", "here.safetensors")
    assert (made.path, made.revision, made.sha256, made.note) == (Path("here.safetensors"), FIRST, sha256(shared), "")
    assert type(public.load("acme/small")).__name__ == "VDSR"
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    assert public.push("acme/small", "me/again").files == ("README.md", "model.safetensors", "model.toml")
    with pytest.raises(
        LimnerError, match=r"there is no model 'acme/smal': .*limner models pull fetches one of the Hub"
    ):
        public.load("acme/smal")


def test_without_the_extra_it_is_one_line(limner: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    for words in (("pull", "acme/small"), ("push", "vdsr", "acme/small")):
        refused = limner("models", *words)
        assert (refused.code, refused.error) == (
            2, "the Hugging Face Hub needs the hub extra: pip install '.[hub]' in the folder of Limner",
        )  # fmt: skip


def test_an_option_before_the_word_is_refused(limner: Callable) -> None:
    refused = limner("models", "--json", "pull", "acme/small")
    assert (refused.code, "--json stands before pull: put options of pull behind it" in refused.error) == (2, True)
    assert main(["models", "pul"]) == 2

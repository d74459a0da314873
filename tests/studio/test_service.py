"""Every address of a service that runs, as a program uses it."""

import base64
import io
import json
import threading
import time
import zipfile

import httpx
import numpy as np
import pytest
from PIL import Image
from tests.studio.conftest import COLORS, Service, drawing, png

from limner.studio.verbs import VERBS
from limner.verbs.generate import generate

SMALL = {"steps": 2, "size": 16}


def picture(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def made(api: httpx.Client, verb: str, options: dict, files: dict | None = None, **named) -> httpx.Response:
    files = {"picture": ("photo.png", png())} if files is None else files
    return api.post(f"/v1/{verb}", params={"wait": 100}, files=files, data={"options": json.dumps(options)}, **named)


def test_it_says_that_it_is_there(api: httpx.Client) -> None:
    found = api.get("/health")
    assert found.json()["status"] == "ok" and found.json()["version"]
    assert "default-src 'none'" in found.headers["content-security-policy"]


def test_a_latent_is_sampled_as_generate_does_it(api: httpx.Client, service: Service) -> None:
    plain = {"model": "digits-acgan", "seed": 3, "label": 7}
    found = api.post("/v1/sample", json=plain).json()
    expected = generate("digits-acgan", [7], count=1, seed=3, device="cpu")
    shown = picture(base64.b64decode(found["png"]))
    np.testing.assert_allclose(shown[..., 0] / 255, expected[0, 0].numpy(), atol=0.6 / 255)
    changed = api.post("/v1/sample", json={**plain, "latent": {"0": found["latent"][0] + 2}}).json()
    assert (
        changed["latent"][0] == pytest.approx(found["latent"][0] + 2) and changed["latent"][1:] == found["latent"][1:]
    )
    assert changed["png"] != found["png"]
    model = service.folder.parent / "models" / "styled.safetensors"
    styled = api.post("/v1/sample", json={"model": "styled", "seed": 5, "truncation": 0.5}).json()
    expected = generate(model, count=1, seed=5, truncation=0.5, device="cpu")
    shown = picture(base64.b64decode(styled["png"])).transpose(2, 0, 1)
    np.testing.assert_allclose(shown / 255, expected[0].numpy(), atol=0.6 / 255)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"model": "nothing"}, "this needs a model that can generate"),
        ({"model": "facades"}, "this needs a model that can generate"),
        ({}, "model: field required"),
        ({"model": "digits-acgan", "label": 10}, "label must be below 10, got 10"),
        ({"model": "digits-acgan", "latent": {"100": 1}}, "latent has 100 numbers, got one at 100"),
        ({"model": "digits-acgan", "latent": {"0": 1e9}}, "latent.0: input should be less than or equal to 100"),
        ({"model": "digits-acgan", "latent": {"-1": 1}}, "latent.-1"),
        ({"model": "digits-acgan", "latent": {"\u0663": 1}}, "latent.\u0663"),
        ({"model": "digits-acgan", "output": "x"}, "output: extra inputs are not permitted"),
    ],
)
def test_a_latent_that_there_is_not_is_refused(api: httpx.Client, body: dict, reason: str) -> None:
    found = api.post("/v1/sample", json=body)
    assert found.status_code == 422 and found.json()["error"].startswith(reason)


def test_a_model_says_which_options_it_has_no_use_for(api: httpx.Client) -> None:
    """Each is refused by the command, and no other one is."""
    values = {
        "classes": ["0"], "views": ["10,20"], "transforms": ["turn=3"], "morph": ["a", "b"], "interpolate": ["1", "2"],
        "arithmetic": "1 + 2", "truncation": "0.7", "mix": "coarse", "noise_draws": 2, "direction": "1",
    }  # fmt: skip
    unused = {one["name"]: one["unused"] for one in api.get("/v1/models").json()}
    for model in ("digits-acgan", "digits-vae", "styled"):
        asked = {name: {"model": model, "count": 4, name: value} for name, value in values.items()}
        ended = {name: made(api, "generate", options, {}).json() for name, options in asked.items()}
        assert [name for name, job in ended.items() if job["state"] != "done"] == [
            name for name in values if name in unused[model]
        ]
        assert "bug" not in str([job["error"] for job in ended.values()])


def test_a_translator_says_which_options_it_has_no_use_for(api: httpx.Client) -> None:
    unused = {one["name"]: one["unused"] for one in api.get("/v1/models").json()}
    assert unused["facades"] == ["direction", "derive", "choices", "style_photo"]
    assert "nearest" in unused["faces"] and "derive" not in unused["faces"]
    values = {"direction": "AB", "derive": True, "choices": True, "nearest": True}
    for name, value in values.items():
        job = made(api, "translate", {"model": "facades", name: value}, {"picture": drawing()}).json()
        assert job["state"] == ("done" if name == "nearest" else "failed"), name
        assert "bug" not in str(job["error"])
    files = {"picture": ("map.png", drawing()), "style_photo": ("photo.png", png())}
    refused = made(api, "translate", {"model": "facades"}, files).json()
    assert "facades knows no styles" in refused["error"]


def test_verbs_say_what_they_take(api: httpx.Client) -> None:
    found = {one["name"]: one for one in api.get("/v1/verbs").json()}
    assert list(found) == [verb.name for verb in VERBS]
    assert found["translate"]["models"] == ["facades", "facades-spade", "faces", "maps"]
    assert "bright" in found["segment"]["models"] and "edsr-x2" in found["upscale"]["models"]
    assert found["restore-inpaint"]["options"]["properties"]["preset"]["enum"][:2] == ["modern", "text"]
    for one in found.values():
        assert one["title"] and one["description"] and one["gives"]


def test_models_have_their_palette(api: httpx.Client) -> None:
    found = {one["name"]: one for one in api.get("/v1/models").json()}
    assert found["facades"]["palette"] == [
        {"name": "wall", "color": "#000000"}, {"name": "door", "color": "#c81e1e"},
    ]  # fmt: skip
    assert found["facades"]["verb"] == "translate" and found["facades"]["own"] and not found["vdsr"]["own"]
    assert found["vdsr"]["palette"] is None and found["vdsr"]["inputs"][0]["kind"] == "luminance"
    assert "stranger" not in found and "path" not in found["facades"]


def test_styles_have_thumbnails(api: httpx.Client) -> None:
    found = {one["name"]: one for one in api.get("/v1/styles").json()}
    thumbnail = api.get(found["mosaic"]["thumbnail"])
    assert thumbnail.headers["content-type"] == "image/webp" and picture(thumbnail.content).shape == (240, 240, 3)
    painted = api.get(found["the-scream-broad"]["thumbnail"])  # a style without a picture of its own
    assert picture(painted.content).shape == (240, 240, 3) and painted.content != thumbnail.content
    assert api.get("/v1/styles/nothing.webp").status_code == 404


def test_systems_are_those_that_are_trained(api: httpx.Client) -> None:
    found = {one["name"]: one for one in api.get("/v1/systems").json()}
    assert found["pix2pix"]["verbs"] == ["translate"] and found["pix2pix"]["steps"]["modern"] > 0


def test_openapi_names_each_verb_with_its_options(api: httpx.Client) -> None:
    found = api.get("/openapi.json").json()
    for verb in VERBS:
        content = found["paths"][f"/v1/{verb.name}"]["post"]["requestBody"]["content"]
        options = content["application/json"]["schema"]["properties"]["options"]
        assert set(options["properties"]) == set(verb.schema()["properties"])
        assert set(content) == {"multipart/form-data", "application/json"}
    assert {"/v1/draw", "/v1/train", "/v1/check", "/v1/jobs/{job}/events", "/health"} <= set(found["paths"])


def test_no_address_names_a_place_of_the_server(api: httpx.Client, service: Service) -> None:
    job = made(api, "upscale", {"scale": 2}).json()
    broken = made(api, "upscale", {"scale": 2}, {"picture": ("cut.png", png(400, 300)[:-2000])}).json()
    assert broken["state"] == "failed" and "cut.png" in broken["error"]
    unknown = {"run": "nothing", "name": job["results"][0]["name"], "id": job["id"]}
    asked = [path for path, does in api.get("/openapi.json").json()["paths"].items() if "get" in does]
    assert len(asked) > 15
    for path in asked:
        for one in (job, broken):
            found = api.get(path.format(**unknown, job=one["id"]), params={"id": one["id"]})
            assert found.status_code in (200, 404), found.text
            assert str(service.folder.parent).encode() not in found.content, path


def test_a_form_gives_a_picture(api: httpx.Client) -> None:
    found = made(api, "upscale", {"scale": 2})
    assert found.status_code == 200
    job = found.json()
    assert job["state"] == "done" and job["done"] == 1 and job["error"] is None
    assert job["inputs"][0]["was"] == "photo.png" and (job["inputs"][0]["width"], job["inputs"][0]["height"]) == (
        24,
        16,
    )
    (result,) = job["results"]
    assert (result["name"], result["width"], result["height"]) == ("photo_x2.png", 48, 32)
    assert picture(api.get(result["url"]).content).shape == (32, 48, 3)
    assert api.get(job["inputs"][0]["url"]).content == png()
    assert "attachment" in api.get(result["url"], params={"download": True}).headers["content-disposition"]
    assert api.get(f"/v1/jobs/{job['id']}").json() == job
    assert api.get("/v1/jobs").json()[0] == job


def test_json_gives_the_bytes_of_the_picture(api: httpx.Client) -> None:
    body = {"picture": base64.b64encode(png()).decode(), "options": {"scale": 2}}
    found = api.post("/v1/upscale", params={"wait": 100}, json=body, headers={"accept": "image/*"})
    assert found.headers["content-type"] == "image/png" and picture(found.content).shape == (32, 48, 3)
    same = api.post("/v1/upscale", params={"wait": 100}, json={**body, "picture": [body["picture"]] * 2}).json()
    assert len(same["results"]) == 2


def test_many_files_give_many_pictures_in_one_zip(api: httpx.Client) -> None:
    files = [("picture", (f"{name}.png", png(seed=seed))) for seed, name in enumerate("abc")]
    job = made(api, "stylize", {"styles": ["mosaic:2", "great-wave"]}, files).json()
    names = ["a_mosaic+great-wave.png", "b_mosaic+great-wave.png", "c_mosaic+great-wave.png"]
    assert [one["name"] for one in job["results"]] == names
    archive = api.get("/v1/jobs.zip", params={"id": job["id"]})
    with zipfile.ZipFile(io.BytesIO(archive.content)) as found:
        assert found.namelist() == [f"stylize-{job['id']}/{name}" for name in names]
        assert found.read(found.namelist()[0]) == api.get(job["results"][0]["url"]).content
    assert api.get("/v1/jobs.zip", params={"id": "nothing"}).status_code == 404
    assert api.get("/v1/jobs.zip").status_code == 422


@pytest.mark.parametrize(
    ("verb", "options", "files", "names"),
    [
        ("texture", {"steps": 2, "size": "64"}, {"picture": ("photo.png", png(96, 64))}, ["photo_texture.png"]),
        ("texture", {"method": "network", "model": "texture-starry-night", "size": "64"}, {}, None),
        ("restore-denoise", {"steps": 2}, None, ["photo_denoised.png"]),
        ("restore-upscale", {"steps": 2, "scale": 2}, None, ["photo_x2.png"]),
        ("segment", {"model": "bright", "overlay": True, "contours": "svg"}, None, None),
        ("translate", {"model": "facades", "seed": 3}, {"picture": ("map.png", drawing())}, ["map_facades.png"]),
        ("redirect", {"angle": "10,0", "eyes": ["2,2,16,10"]}, None, ["photo_redirected.png"]),
        ("invert", SMALL, None, ["photo_relu4_1.png"]),
        ("morph", {"frames": 3}, {"first": ("a.png", png()), "second": ("b.png", png(seed=1))}, ["morph.gif"]),
        ("generate", {"model": "digits-vae", "count": 4}, {}, ["digits-vae_generated.png"]),
        ("generate", {"model": "digits-vae", "interpolate": ["1", "2"], "frames": 3}, {}, ["generate.gif"]),
        ("imagine", {"units": ["class:goldfish"], "steps": 2, "size": 32}, {}, ["goldfish.png"]),
    ],
)
def test_every_verb_makes_its_picture(
    api: httpx.Client, verb: str, options: dict, files: dict | None, names: list[str] | None
) -> None:
    job = made(api, verb, options, files).json()
    assert job["state"] == "done", job
    found = [one["name"] for one in job["results"]]
    assert found == names if names else found


def test_an_outline_is_saved_and_never_shown(api: httpx.Client) -> None:
    job = made(api, "segment", {"model": "bright", "contours": "svg"}).json()
    (outlines,) = [one for one in job["results"] if one["kind"] == "outlines"]
    found = api.get(outlines["url"])
    assert found.headers["content-type"] == "application/octet-stream"
    assert "attachment" in found.headers["content-disposition"]


def test_a_style_that_is_sent_is_painted_in(api: httpx.Client) -> None:
    files = {"picture": ("photo.png", png()), "style": ("Painting.png", png(32, 32, 1))}
    job = made(api, "stylize", {"styles": ["@1:0.5", "mosaic:0.5"], "method": "any-style"}, files).json()
    assert job["facts"]["styles"] == {"painting.png": 0.5, "mosaic": 0.5}


def test_a_style_is_learnt_and_then_has_a_name(api: httpx.Client) -> None:
    files = {"picture": ("Our Garden.png", png(96, 96))}
    job = made(api, "learn-style", {"minutes": 0.01, "size": 64}, files).json()
    assert job["state"] == "done", job
    (sheet,) = job["results"]  # the painting, and photos as they are painted
    assert sheet["name"] == "our-garden_learnt.png" and sheet["width"] > 2 * sheet["height"]
    assert {"name": "our-garden", "thumbnail": None, "learnt": True} in api.get("/v1/styles").json()
    painted = made(api, "stylize", {"styles": ["our-garden"]}).json()
    assert painted["state"] == "done" and painted["facts"]["styles"] == {"our-garden": 1.0}, painted


def test_videos_are_taken(api: httpx.Client, tmp_path) -> None:
    pytest.importorskip("av")
    from tests.clips import make_clip

    clip = make_clip(tmp_path / "clip.mp4", 2).read_bytes()
    for verb, field, options in (
        ("upscale", "picture", {"scale": 2}),
        ("stylize-video", "video", {"styles": ["mosaic"]}),
        ("segment", "picture", {"model": "bright"}),
    ):
        job = made(api, verb, options, {field: ("clip.mp4", clip)}).json()
        assert job["state"] == "done", job
        assert [one["kind"] for one in job["results"]] == ["video"]
        assert api.get(job["results"][0]["url"]).headers["content-type"] == "video/mp4"


@pytest.mark.parametrize(
    ("verb", "request_", "status", "words"),
    [
        ("upscal", {}, 404, "did you mean upscale"),
        ("upscale", {}, 422, "needs a picture"),
        ("upscale", {"json": {"picture": "!"}}, 422, "base64"),
        ("upscale", {"json": [1]}, 422, "one JSON object"),
        ("upscale", {"content": b"{", "headers": {"content-type": "application/json"}}, 422, "no JSON"),
        ("upscale", {"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}, 422, "no JSON"),
        ("upscale", {"content": b"x", "headers": {"content-type": "text/plain"}}, 422, "text/plain"),
        ("upscale", {"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 422, "form"),
        ("upscale", {"files": {"picture": b"<svg/>"}}, 422, "SVG"),
        ("upscale", {"files": {"picture": png()}, "data": {"options": "[1]"}}, 422, "JSON object"),
        ("upscale", {"files": {"picture": png()}, "data": {"options": "{"}}, 422, "JSON"),
        ("upscale", {"files": {"picture": png()}, "data": {"scale": "2"}}, 422, "field 'scale' is no file"),
        ("upscale", {"files": {"picture": png()}, "data": {"options": '{"scale": 2, "output": "/x"}'}}, 422, "output"),
        ("upscale", {"files": {"picture": png()}, "data": {"options": '{"model": "/etc/x"}'}}, 422, "names no files"),
        ("upscale", {"files": {"picture": png()}, "data": {"options": '{"model": "vdrs"}'}}, 422, "did you mean vdsr"),
        ("segment", {"files": {"picture": png()}, "data": {"options": '{"model": "vdsr"}'}}, 422, "has no model"),
        ("stylize", {"files": {"picture": png()}, "data": {"options": '{"styles": ["x.jpg"]}'}}, 422, "no style"),
        ("generate", {"json": {"options": {"model": "x", "interpolate": ["../a", "b"]}}}, 422, "names no files"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    api: httpx.Client, verb: str, request_: dict, status: int, words: str
) -> None:
    found = api.post(f"/v1/{verb}", **request_)
    assert found.status_code == status, found.text
    assert set(found.json()) == {"error"} and words in found.json()["error"] and "\n" not in found.json()["error"]


@pytest.mark.parametrize(
    "options",
    [
        rb'{"units": ["\ud800"]}',
        b'{"units": ["\xed\xa0\x80"]}',
        rb'{"\udfff": 1}',
        b'{"seed": NaN}',
        b'{"size": Infinity}',
    ],
)
def test_what_could_not_be_said_again_is_no_json(api: httpx.Client, options: bytes) -> None:
    """One such job would spoil the list of all for ever."""
    for verb in ("imagine", "draw"):
        body = b'{"options": %b}' % options
        found = api.post(f"/v1/{verb}", content=body, headers={"content-type": "application/json"})
        assert (found.status_code, found.json()) == (422, {"error": "the body is no JSON: check it"})
    if options.isascii():
        found = api.post("/v1/imagine", data={"options": options.decode()})
        assert found.status_code == 422 and "are no JSON" in found.json()["error"]
    assert api.get("/v1/jobs").status_code == 200


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ('{"model": "facades", "seed": 1e999}', "seed must be a whole number"),
        ('{"model": "facades", "seed": [1]}', "seed must be a whole number"),
        ('{"model": ["facades"]}', "a model that can translate"),
        ('{"model": {"a": 1}}', "a model that can translate"),
    ],
)
def test_options_of_a_drawing_have_their_types(api: httpx.Client, options: str, words: str) -> None:
    found = api.post("/v1/draw", files={"picture": drawing()}, data={"options": options})
    assert found.status_code == 422 and words in found.json()["error"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v1/jobs?limit=x", "limit: input should be a valid integer, unable to parse string as an integer, got 'x'"),
        ("/v1/jobs?limit=0", "limit: input should be greater than or equal to 1, got '0'"),
        ("/v1/jobs.zip", "id: field required"),
    ],
)
def test_what_stands_in_the_address_is_refused_as_all_is(api: httpx.Client, path: str, words: str) -> None:
    found = api.get(path)
    assert found.status_code == 422 and list(found.json()) == ["error"] and found.json()["error"].startswith(words)
    told = api.get("/openapi.json").json()["paths"]["/v1/jobs"]["get"]["responses"]["422"]
    assert told["content"]["application/json"]["schema"]["required"] == ["error"]


def test_what_turns_out_bad_fails_in_one_line(api: httpx.Client) -> None:
    job = made(api, "upscale", {}, {"picture": ("photo.png", png(64, 64)[:-3000])}).json()
    assert job["state"] == "failed" and job["error"].startswith("photo.png: is damaged, cut short")
    found = made(api, "upscale", {"scale": 17}, headers={"accept": "image/png"})
    assert found.status_code == 422 and "16" in found.json()["error"]


@pytest.mark.parametrize(
    "path", ["/v1/jobs/nothing", "/v1/jobs/nothing/events", "/v1/jobs/nothing/preview", "/v1/train/nothing", "/nothing"]
)
def test_what_is_not_there_is_said(api: httpx.Client, path: str) -> None:
    found = api.get(path)
    assert found.status_code == 404 and set(found.json()) == {"error"}


def test_an_address_that_there_is_not_is_told_with_its_mend(api: httpx.Client) -> None:
    for method, path, status in (("GET", "/v2/jobs", 404), ("PUT", "/v1/upscale", 405), ("GET", "/page/x.js", 404)):
        found = api.request(method, path)
        line = f"{method} {path} is no address of this service: see /openapi.json"
        assert (found.status_code, found.json()) == (status, {"error": line})


def test_no_file_of_the_machine_is_given_away(api: httpx.Client) -> None:
    job = made(api, "upscale", {}).json()
    for name in ("..%2finputs%2fphoto.png", "/etc/passwd", "%2fetc%2fpasswd", "nothing.png"):
        assert api.get(f"/v1/jobs/{job['id']}/files/{name}").status_code == 404
        assert api.get(f"/v1/jobs/{job['id']}/inputs/{name}").status_code == 404
        assert api.get(f"/page/{name}").status_code == 404
        assert api.get(f"/v1/styles/{name}.webp").status_code == 404
    assert api.get("/page/..%2f..%2f__init__.py").status_code == 404


def test_other_sites_are_refused(api: httpx.Client) -> None:
    assert api.get("/v1/jobs", headers={"host": "evil.example"}).status_code == 421
    files = {"picture": png()}
    assert api.post("/v1/upscale", files=files, headers={"origin": "http://evil.example"}).status_code == 403


def test_again_makes_the_same_again_with_other_options(api: httpx.Client) -> None:
    first = made(api, "upscale", {"scale": 2}).json()
    found = api.post(f"/v1/jobs/{first['id']}/again")
    assert found.status_code == 202 and found.json()["id"] != first["id"]
    assert found.json()["options"] == {"scale": 2} and found.headers["location"] == f"/v1/jobs/{found.json()['id']}"
    other = api.post(f"/v1/jobs/{first['id']}/again", json={"options": {"scale": 3}}).json()
    ended = wait_for(api, other["id"])
    assert ended["results"][0]["width"] == 72
    assert api.post(f"/v1/jobs/{first['id']}/again", json={"options": {"scal": 3}}).status_code == 422


def test_a_job_is_removed_with_its_files(api: httpx.Client, service: Service) -> None:
    job = made(api, "upscale", {}).json()
    assert (service.folder / "jobs" / job["id"]).is_dir()
    assert api.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert api.get(f"/v1/jobs/{job['id']}").status_code == 404
    assert not (service.folder / "jobs" / job["id"]).exists()


def wait_for(api: httpx.Client, job: str, *states: str) -> dict:
    """The job once it has one of the states, or has ended."""
    for _ in range(1000):
        found = api.get(f"/v1/jobs/{job}").json()
        if found["state"] in (states or ("done", "failed", "cancelled", "interrupted")):
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_a_long_job_is_watched_drawn_beside_and_cancelled(api: httpx.Client) -> None:
    job = api.post("/v1/restore-denoise", files={"picture": png(64, 48)}, data={"options": '{"steps": 5000}'}).json()
    waits = api.post("/v1/restore-denoise", files={"picture": png()}, data={"options": '{"steps": 5000}'}).json()
    assert job["state"] == "waiting"
    events = []
    with api.stream("GET", f"/v1/jobs/{job['id']}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("data: "):
                events.append(json.loads(line.removeprefix("data: ")))
            if events and events[-1]["preview"]:
                break
    assert events[-1]["state"] == "running" and 0 < events[-1]["done"] < 1
    assert [one["done"] for one in events] == sorted(one["done"] for one in events)
    assert picture(api.get(events[-1]["preview"]).content).shape == (48, 64, 3)
    drawn = api.post("/v1/draw", params={"model": "facades"}, content=drawing(), headers={"content-type": "image/png"})
    assert drawn.status_code == 200 and api.get(f"/v1/jobs/{job['id']}").json()["state"] == "running"
    assert api.get(f"/v1/jobs/{waits['id']}").json()["place"] == 1
    assert api.post(f"/v1/jobs/{waits['id']}/cancel").json()["state"] == "cancelled"
    api.post(f"/v1/jobs/{job['id']}/cancel")
    ended = wait_for(api, job["id"])
    assert ended["state"] == "cancelled" and ended["error"] is None and ended["preview"] is None
    assert [one["name"] for one in ended["results"]] == ["upload_denoised.png"], "what was reached is kept"
    assert made(api, "upscale", {}).json()["state"] == "done"


def draw(api: httpx.Client, **named) -> httpx.Response:
    headers = {"content-type": "image/png", **named.pop("headers", {})}
    return api.post("/v1/draw", params={"model": "facades", **named}, content=drawing(), headers=headers)


def test_a_drawing_becomes_a_picture(api: httpx.Client) -> None:
    found = draw(api, seed=1)
    assert found.headers["content-type"] == "image/png" and picture(found.content).shape == (64, 64, 3)
    assert draw(api, seed=1).content == found.content != draw(api, seed=2).content
    form = {"options": json.dumps({"model": "facades", "seed": 1})}
    assert api.post("/v1/draw", files={"picture": drawing()}, data=form).content == found.content
    body = {"picture": base64.b64encode(drawing()).decode(), "options": {"model": "facades", "seed": 1}}
    assert api.post("/v1/draw", json=body).content == found.content
    job = made(api, "translate", {"model": "facades", "seed": 1}, {"picture": drawing()}).json()
    same = picture(api.get(job["results"][0]["url"]).content)
    np.testing.assert_allclose(picture(found.content).astype(int), same, atol=3)


def test_smooth_edges_of_a_brush_take_the_nearest_class(api: httpx.Client) -> None:
    smooth = picture(drawing()).copy()
    smooth[31] = np.array(COLORS[1]) // 2 + 12
    file = io.BytesIO()
    Image.fromarray(smooth).save(file, "PNG")
    found = api.post(
        "/v1/draw", params={"model": "facades"}, content=file.getvalue(), headers={"content-type": "image/png"}
    )
    assert found.status_code == 200


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"model": "vdsr"}, "a model that can translate"),
        ({"model": "../facades"}, "a model that can translate"),
        ({"seed": "x"}, "seed"),
        ({"seed": -1}, "seed"),
        ({"what": 1}, "takes model, seed"),
        ({"direction": "BA"}, "one way"),
    ],
)
def test_a_drawing_that_does_not_fit_is_refused(api: httpx.Client, named: dict, words: str) -> None:
    found = draw(api, **named)
    assert found.status_code == 422 and words in found.json()["error"]


def test_of_one_canvas_the_newest_drawing_wins(api: httpx.Client) -> None:
    answers: list[int] = []

    def one(seed: int) -> None:
        answers.append(draw(api, seed=seed, headers={"x-session": "canvas"}).status_code)

    threads = [threading.Thread(target=one, args=(seed,)) for seed in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 409} and len(answers) == 12 and answers.count(200) >= 2
    assert draw(api, headers={"x-session": "canvas"}).status_code == 200

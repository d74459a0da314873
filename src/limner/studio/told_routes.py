"""What there is: verbs, models, styles, systems."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, Response

from limner.studio.models import known_now
from limner.studio.verbs import VERBS

router = APIRouter(prefix="/v1", tags=["what there is"])


@router.get("/verbs")
async def verbs(request: Request) -> list[dict[str, Any]]:
    """Every verb with the files and the options that it takes, and the models that it can use."""
    known = await known_now(request.app.state.queue)
    return [
        {
            "name": verb.name,
            "title": verb.title,
            "description": verb.description,
            "inputs": [
                {
                    "name": one.name,
                    "option": one.field,
                    "kind": one.kind,
                    "description": one.description,
                    "required": one.required,
                    "many": one.many,
                    "video": one.video,
                }
                for one in verb.inputs
            ],
            "options": _with_presets(verb.schema(), known["presets"].get(verb.name, {})),
            "models": [model["name"] for model in known["models"] if verb.name in model["verbs"]],
            "gives": verb.gives,
            "aligned": verb.aligned,
        }
        for verb in VERBS
    ]


@router.get("/models")
async def models(request: Request) -> list[dict[str, Any]]:
    """Every model: those that come with Limner, and one's own."""
    known = await known_now(request.app.state.queue)
    return [{name: value for name, value in model.items() if name != "path"} for model in known["models"]]


@router.get("/systems")
async def systems(request: Request) -> list[dict[str, Any]]:
    """Every system that can be trained."""
    return list((await known_now(request.app.state.queue))["systems"])


@router.get("/styles")
async def styles(request: Request) -> list[dict[str, Any]]:
    """Every style that has a name, and where a picture of it is; of those that were learnt here there is none."""
    known = await known_now(request.app.state.queue)
    return [
        {
            "name": one["name"],
            "thumbnail": None if one["learnt"] else f"/v1/styles/{one['name']}.webp",
            "learnt": one["learnt"],
        }
        for one in known["styles"]
    ]


@router.get("/styles/{name}.webp")
async def style(request: Request, name: str) -> Response:
    """The picture of a style, or a photo that is painted in it: 240 x 240 pixels."""
    known = await known_now(request.app.state.queue)
    for one in known["styles"]:
        if one["name"] == name and not one["learnt"]:
            place = await request.app.state.live.thumbnail(name, request.app.state.queue)
            return FileResponse(place, media_type="image/webp", headers={"cache-control": "max-age=86400"})
    raise HTTPException(404, f"there is no picture of a style {name!r}: see /v1/styles")


def _with_presets(schema: dict[str, Any], presets: dict[str, str]) -> dict[str, Any]:
    """The names of presets, where the command takes them as a text."""
    preset = schema["properties"].get("preset")
    if preset and "enum" not in preset and presets:
        preset["enum"] = [name for name in presets if name != "quick"]
    return schema

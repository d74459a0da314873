"""XMP packets, changed where they speak of the file that was and not of the picture.

ISO 16684-1:2019 (XMP); Adobe, XMP specification part 3, 2020 (extended XMP); Adobe, Gain map 1.0, 2024; Google, Ultra
HDR image format 1.1, 2024, and Dynamic depth 1.0, 2019. The packet is changed as text, so that all else stays as it is.
"""

import re
from typing import NamedTuple
from xml.etree import ElementTree

_SAME_SIDE = {"width": rb"exif:PixelXDimension|tiff:ImageWidth", "height": rb"exif:PixelYDimension|tiff:ImageLength"}
_OF_THE_FILE = (
    (rb"http://ns\.adobe\.com/hdr-gain-map/1\.0/", "gain map"),
    (rb"http://ns\.apple\.com/HDRGainMap/1\.0/", "gain map"),
    (rb"http://ns\.google\.com/photos/1\.0/(?:container|camera|depthmap|image|audio|cameraimage)/(?:item/)?", ""),
    (rb"http://ns\.google\.com/photos/dd/1\.0/[a-z]+/", "depth"),
    (rb"http://ns\.adobe\.com/xmp/note/", ""),
)
"""Namespaces of what lies beside the picture in its file, and what that is."""
_WORDS = {
    b'"GainMap"': "gain map",
    b">GainMap<": "gain map",
    b"MotionPhoto": "motion photo",
    b"MicroVideo": "motion photo",
    b"GDepth": "depth",
    b"HasExtendedXMP": "further XMP",
}


class Cleaned(NamedTuple):
    """A packet, if anything of it is left, and what it spoke of that is not kept."""

    packet: bytes | None
    left_out: tuple[str, ...]


def as_upright(packet: bytes) -> bytes:
    """The same packet with the orientation 1."""
    return re.sub(rb"(tiff:Orientation\s*(?:=\s*[\"']|>\s*))[1-8]", rb"\g<1>1", packet)


def with_size(packet: bytes, width: int, height: int) -> bytes:
    """The same packet where what it says of the picture's sides, in pixels, is so."""
    for side, number in zip(_SAME_SIDE.values(), (width, height), strict=True):
        packet = re.sub(rb"((?:" + side + rb")\s*(?:=\s*[\"']|>\s*))\d+", rb"\g<1>%d" % number, packet)
    return packet


def about_the_picture(packet: bytes) -> Cleaned:
    """The packet without small pictures, and without what speaks of other parts of its file."""
    spoken = [word for namespace, word in _OF_THE_FILE if word and re.search(namespace, packet)]
    spoken += [word for text, word in _WORDS.items() if text in packet]
    cleaned = _without_element(packet, rb"xmp:Thumbnails")
    for namespace, _ in _OF_THE_FILE:
        for prefix in dict.fromkeys(re.findall(rb"xmlns:([\w.-]+)\s*=\s*[\"']" + namespace + rb"[\"']", cleaned)):
            cleaned = _without_prefix(cleaned, prefix)
    if cleaned == packet:
        return Cleaned(packet, ())
    return Cleaned(cleaned if _is_sound(cleaned) else None, tuple(dict.fromkeys(spoken)))


def _without_prefix(packet: bytes, prefix: bytes) -> bytes:
    """Without the elements and the attributes of a namespace, and without its declaration."""
    packet = _without_element(packet, re.escape(prefix) + rb":[\w.-]+")
    packet = re.sub(rb"\s+" + re.escape(prefix) + rb":[\w.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*')", b"", packet)
    return re.sub(rb"\s+xmlns:" + re.escape(prefix) + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')", b"", packet)


def _without_element(packet: bytes, name: bytes) -> bytes:
    """Without all elements of a name, outer ones first."""
    attributes = rb"(?:\s[^<>]*?)?"
    whole = re.compile(rb"<(" + name + rb")" + attributes + rb"(?:/>|(?<!/)>.*?</\1\s*>)", re.DOTALL)
    return whole.sub(b"", packet)


def _is_sound(packet: bytes) -> bool:
    try:
        ElementTree.fromstring(packet.strip(b"\0 \r\n\t"))
    except (ElementTree.ParseError, ValueError):
        return False
    return True

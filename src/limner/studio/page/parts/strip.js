// Small pictures in a row, of which one is on the stage.

import { h, icon } from "../dom.js";

/** items: files, or results of a job; take(place) puts one on the stage. */
export function showStrip(strip, { items, now, take, hidden }) {
  strip.hidden = items.length < 2 || Boolean(hidden);
  if (strip.hidden) return;
  strip.replaceChildren(
    ...items.map((one, place) => {
      const own = one instanceof Blob ? URL.createObjectURL(one) : null;
      const image = h("img", { src: own ?? one.url, alt: "", width: 56, height: 56, loading: "lazy", decoding: "async", onload: () => own && URL.revokeObjectURL(own) });
      const isVideo = one.kind === "video" || one.type?.startsWith("video/");
      return h("button", { type: "button", "aria-label": one.name, "aria-current": place === now ? "true" : null, onclick: () => take(place) }, isVideo ? icon("film") : image);
    }),
  );
  strip.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

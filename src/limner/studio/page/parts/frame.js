// A picture fitted into its place, or at its own size; two of them under a slider.

import { h } from "../dom.js";

const LEAST = 768; // small pictures are enlarged to this on the screen
const FEW = 128; // pixels a side: below that each is shown, for there is nothing between them

/** Keep an element at the largest size of its shape that fits into its parent. */
export function fit(element, width, height, signal, scaleOf = () => 0) {
  const place = () => {
    const room = element.parentElement;
    if (!room) return;
    const most = Math.max(1, LEAST / Math.max(width, height));
    const scale = scaleOf() || Math.min(room.clientWidth / width, room.clientHeight / height, most);
    element.style.width = `${Math.max(1, Math.round(width * scale))}px`;
    element.style.height = `${Math.max(1, Math.round(height * scale))}px`;
  };
  const watch = new ResizeObserver(place);
  requestAnimationFrame(() => {
    if (element.parentElement) watch.observe(element.parentElement);
    place();
  });
  signal.addEventListener("abort", () => watch.disconnect());
  return place;
}

/** Two rooms side by side or one above the other: as their two pictures, of a shape that `shape` tells, are larger. */
export function arrange(rooms, shape, signal) {
  const place = () => {
    const [width, height] = shape();
    const gap = 16;
    const scale = (across, down) => Math.min((rooms.clientWidth - gap * (across - 1)) / across / width, (rooms.clientHeight - gap * (down - 1)) / down / height);
    rooms.classList.toggle("stacked", scale(1, 2) > scale(2, 1));
  };
  requestAnimationFrame(place); // before pictures are fitted into the rooms
  const watch = new ResizeObserver(place);
  watch.observe(rooms);
  signal.addEventListener("abort", () => watch.disconnect());
  return place;
}

export async function sizeOf(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return { width: image.naturalWidth, height: image.naturalHeight };
}

function picture(url, alt, side) {
  return h("img", { src: url, alt, class: `layer ${side}`, draggable: "false", decoding: "async" });
}

/** Two pictures, one over the other; the slider says how much of each is seen. */
export function compare({ before, after, width, height, signal, scaleOf, alt = "Result", start = 50 }) {
  const element = h("div", { class: "compare" });
  const slider = h("input", { type: "range", class: "compare-slider", min: 0, max: 100, step: 0.5, value: start, "aria-label": "How much is shown of the picture before" });
  const cut = () => element.style.setProperty("--cut", `${slider.value}%`);
  slider.addEventListener("input", cut);
  const follow = (event) => {
    const box = element.getBoundingClientRect();
    slider.value = ((event.clientX - box.left) / box.width) * 100;
    cut();
  };
  slider.addEventListener("pointerdown", (event) => {
    slider.setPointerCapture(event.pointerId);
    follow(event);
  });
  slider.addEventListener("pointermove", (event) => slider.hasPointerCapture(event.pointerId) && follow(event));
  element.append(
    picture(after, alt, "after"),
    picture(before, "Before", "before"),
    h("span", { class: "handle", "aria-hidden": "true" }),
    h("span", { class: "tag tag-before", "aria-hidden": "true" }, "Before"),
    h("span", { class: "tag tag-after", "aria-hidden": "true" }, "After"),
    slider,
  );
  cut();
  const place = fit(element, width, height, signal, scaleOf);
  return { element, place };
}

export function single({ url, alt, width, height, signal, scaleOf, kind = "picture" }) {
  const shown = kind === "video" ? h("video", { src: url, controls: true, loop: true, playsinline: true, class: "layer" }) : picture(url, alt, "after");
  const element = h("div", { class: `single ${Math.max(width, height) < FEW ? "pixels" : ""}` }, shown);
  if (kind === "video") shown.addEventListener("loadedmetadata", () => fit(element, shown.videoWidth, shown.videoHeight, signal, scaleOf));
  const place = fit(element, width, height, signal, scaleOf);
  return { element, place, image: shown };
}

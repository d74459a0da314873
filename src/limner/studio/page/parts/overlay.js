// Classes over a photo: each can be shown or hidden.

import { h, words } from "../dom.js";
import { rgb } from "./painter.js";

async function pixels(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

const key = (r, g, b) => (r << 16) | (g << 8) | b;

/** A canvas of the classes, to lie over the photo, and the toggles for the panel. */
export async function overlay(url, palette) {
  const image = await pixels(url);
  const counts = new Map();
  const keys = new Uint32Array(image.width * image.height);
  for (let place = 0; place < keys.length; place += 1) {
    keys[place] = key(image.data[place * 4], image.data[place * 4 + 1], image.data[place * 4 + 2]);
    counts.set(keys[place], (counts.get(keys[place]) ?? 0) + 1);
  }
  const names = new Map((palette ?? []).map(({ name, color }) => [key(...rgb(color)), { name, color }]));
  const hex = (one) => `#${one.toString(16).padStart(6, "0")}`;
  const found = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 64).map(([one, count]) => ({ key: one, count, name: names.get(one)?.name ?? hex(one), color: hex(one) }));
  const hidden = new Set();
  const canvas = h("canvas", { class: "layer overlay", width: image.width, height: image.height, role: "img", "aria-label": `Classes: ${found.map(({ name }) => name).join(", ")}` });
  const show = () => {
    const drawn = new ImageData(new Uint8ClampedArray(image.data), image.width, image.height);
    for (let place = 0; place < keys.length; place += 1) drawn.data[place * 4 + 3] = hidden.has(keys[place]) ? 0 : 255;
    canvas.getContext("2d").putImageData(drawn, 0, 0);
  };
  show();
  const share = (count) => `${((count / keys.length) * 100).toFixed(count / keys.length < 0.1 ? 1 : 0)} %`;
  const toggle = (one) => {
    const swatch = h("span", { class: "swatch" });
    swatch.style.background = one.color;
    const change = (event) => {
      if (event.target.checked) hidden.delete(one.key);
      else hidden.add(one.key);
      show();
    };
    return h("label", { class: "class-toggle" }, h("input", { type: "checkbox", checked: true, onchange: change }), swatch, h("span", null, words(one.name)), h("small", null, share(one.count)));
  };
  canvas.style.opacity = 0.6;
  const opacity = h("input", { type: "range", min: 0, max: 1, step: 0.05, value: 0.6, "aria-label": "How strongly the classes are shown", oninput: (event) => (canvas.style.opacity = event.target.value) });
  const toggles = h("fieldset", { class: "classes" }, h("legend", null, "Classes"), h("div", { class: "slide" }, opacity), found.map(toggle));
  return { canvas, toggles, width: image.width, height: image.height };
}

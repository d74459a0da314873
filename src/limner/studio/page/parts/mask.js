// A mask that is painted over a photo: white where it was painted.

import { h, iconButton } from "../dom.js";
import { Easel, TOOLS } from "./easel.js";
import { Painter } from "./painter.js";

const NONE = { name: "nothing", color: "#000000", alpha: 0 };
const MARK = { name: "mask", color: "#e0359a", alpha: 150 };

export class MaskPainter {
  constructor({ width, height, signal }) {
    this.painter = new Painter(width, height, [NONE, MARK]);
    const size = Math.max(4, Math.round(Math.max(width, height) / 24));
    this.easel = new Easel(this.painter, { label: 1, size, name: "Mask over the photo", signal, tools: TOOLS });
    this.element = this.easel.element;
    this.element.classList.add("over");
  }

  get isPainted() {
    return !this.painter.isEmpty;
  }

  column() {
    return this.easel.column();
  }

  sizeControl() {
    return brushSize(this.easel);
  }

  png() {
    return this.painter.png(["#000000", "#ffffff"]);
  }
}

/** The tools, while there is nothing to paint on. */
export function idleTools() {
  return h("div", { class: "tools", "aria-hidden": "true" }, TOOLS.map(([, picture, label]) => iconButton(picture, label, () => {}, { disabled: true })));
}

/** The width of the brush as a slider; keys [ and ] change it too. */
export function brushSize(easel) {
  const output = h("output", null, String(easel.size));
  const slider = h("input", { type: "range", min: 1, max: 128, value: easel.size, "aria-label": "Width of the brush", oninput: (event) => easel.resizeBrush(event.target.valueAsNumber) });
  easel.addEventListener("size", () => {
    slider.value = easel.size;
    output.textContent = easel.size;
  });
  return h("label", { class: "brush-size", "data-tip": "Width of the brush", "data-key": "[ ]" }, h("span", null, "Brush"), slider, output);
}

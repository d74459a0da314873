// A drawing of labels: its pixels are numbers of a palette, and every step can be taken back.

import { h } from "../dom.js";
import { disc, flood, line, rectangle, union } from "./raster.js";

const UNDO_BYTES = 64 * 2 ** 20;
const NEAR = 24; // levels that a colour may be off and still be one of the palette
const MOSTLY = 0.9; // share of the pixels

/** Pixels of a side of a drawing. */
export const MOST = 2048;

/** "#rrggbb" as [red, green, blue]. */
export function rgb(color) {
  const number = Number.parseInt(color.slice(1), 16);
  return [(number >> 16) & 255, (number >> 8) & 255, number & 255];
}

/** The four bytes of a pixel as one number. */
const pixel = (color, alpha) => new Uint32Array(new Uint8Array([...rgb(color), alpha]).buffer)[0];

export class Painter {
  #done = [];
  #undone = [];
  #before = null;
  #from = null;
  #last = null;
  #dirty = null;

  /** palette: [{name, color, alpha}], alpha 0 to 255 of what is shown (files are always opaque). */
  constructor(width, height, palette, ground = 0) {
    this.canvas = document.createElement("canvas");
    this.ground = ground;
    this.palette = palette;
    this.#size(width, height);
  }

  #size(width, height, labels) {
    this.width = width;
    this.height = height;
    this.labels = labels ?? new Uint8Array(width * height).fill(this.ground);
    this.canvas.width = width;
    this.canvas.height = height;
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.show();
  }

  get state() {
    return { width: this.width, height: this.height, labels: this.labels };
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  get isEmpty() {
    return this.labels.every((label) => label === this.ground);
  }

  /** Begin a stroke with a tool: "brush", "rectangle", "line" or "fill". */
  begin(tool, at, size, label) {
    this.#before = this.labels.slice();
    this.#from = at;
    this.#last = at;
    this.#dirty = null;
    this.stroke = { tool, size, label };
    if (tool === "fill") this.#put(flood(this, at, label));
    else this.move(at);
  }

  move(to) {
    if (!this.#before) return;
    const { tool, size, label } = this.stroke;
    if (tool === "brush") this.#put(line(this, this.#last, to, size, label));
    else if (tool !== "fill") {
      this.#takeBack();
      this.#put(tool === "line" ? line(this, this.#from, to, size, label) : rectangle(this, this.#from, to, label));
    }
    this.#last = to;
  }

  /** End the stroke; true if it changed anything. */
  end() {
    if (!this.#before) return false;
    const changed = this.#before.some((label, place) => label !== this.labels[place]);
    if (changed) this.#note({ width: this.width, height: this.height, labels: this.#before });
    this.#before = null;
    return changed;
  }

  drop() {
    if (!this.#before) return;
    this.#takeBack();
    this.#before = null;
  }

  stamp(at, size, label) {
    this.#put(disc(this, at, size, label));
  }

  /** Put another drawing in its place, as one step. */
  replace(width, height, labels) {
    this.#note({ ...this.state, labels: this.labels.slice() });
    this.#size(width, height, labels);
  }

  clear() {
    this.replace(this.width, this.height);
  }

  /** Another size: nearest pixels, so that no new colour comes. */
  resize(width, height) {
    const labels = new Uint8Array(width * height);
    for (let y = 0; y < height; y += 1) {
      const row = Math.floor(((y + 0.5) * this.height) / height) * this.width;
      for (let x = 0; x < width; x += 1) labels[y * width + x] = this.labels[row + Math.floor(((x + 0.5) * this.width) / width)];
    }
    this.replace(width, height, labels);
  }

  undo() {
    this.#swap(this.#done, this.#undone);
  }

  redo() {
    this.#swap(this.#undone, this.#done);
  }

  forget() {
    this.#done = [];
    this.#undone = [];
  }

  /** Show a part again, or all. */
  show(box = { x0: 0, y0: 0, x1: this.width, y1: this.height }) {
    const width = box.x1 - box.x0;
    const image = this.context.createImageData(width, box.y1 - box.y0);
    const pixels = new Uint32Array(image.data.buffer);
    const shown = this.palette.map(({ color, alpha = 255 }) => pixel(color, alpha));
    for (let y = box.y0, place = 0; y < box.y1; y += 1) {
      for (let x = box.x0; x < box.x1; x += 1, place += 1) pixels[place] = shown[this.labels[y * this.width + x]] ?? 0;
    }
    this.context.putImageData(image, box.x0, box.y0);
  }

  /** A PNG whose pixels are the palette's colours, or those that are given. */
  async png(colors = this.palette.map(({ color }) => color)) {
    const canvas = document.createElement("canvas");
    canvas.width = this.width;
    canvas.height = this.height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(this.width, this.height);
    const pixels = new Uint32Array(image.data.buffer);
    const values = colors.map((color) => pixel(color, 255));
    for (let place = 0; place < this.labels.length; place += 1) pixels[place] = values[this.labels[place]];
    context.putImageData(image, 0, 0);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  #note(state) {
    this.#done.push(state);
    this.#undone = [];
    let bytes = 0;
    let kept = this.#done.length;
    while (kept > 0 && bytes < UNDO_BYTES) bytes += this.#done[(kept -= 1)].labels.length;
    this.#done.splice(0, kept);
  }

  #swap(from, to) {
    const state = from.pop();
    if (!state) return;
    to.push({ ...this.state });
    this.#size(state.width, state.height, state.labels);
  }

  #put(box) {
    if (!box) return;
    this.#dirty = union(this.#dirty, box);
    this.show(box);
  }

  #takeBack() {
    const box = this.#dirty;
    if (!box) return;
    for (let y = box.y0; y < box.y1; y += 1) {
      const from = y * this.width + box.x0;
      this.labels.set(this.#before.subarray(from, from + box.x1 - box.x0), from);
    }
    this.#dirty = null;
    this.show(box);
  }
}

/** The pixels of a file, as large as a drawing may be. */
export async function pixelsOf(file) {
  const image = await createImageBitmap(file);
  const scale = Math.min(1, MOST / Math.max(image.width, image.height));
  const canvas = h("canvas", { width: Math.round(image.width * scale), height: Math.round(image.height * scale) });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingEnabled = false; // a mixed colour is no class
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** Whether a picture is a drawing in the palette's colours: most of its pixels have one of them, or nearly. */
export function isOfPalette({ data }, palette) {
  const colors = palette.map(({ color }) => rgb(color));
  let near = 0;
  for (let place = 0; place < data.length; place += 4) near += colors.some((color) => color.every((value, channel) => Math.abs(value - data[place + channel]) <= NEAR));
  return near > (MOSTLY * data.length) / 4;
}

/** The labels of a picture's pixels: of each the palette's nearest colour. */
export function labelsOf(image, palette) {
  const colors = palette.map(({ color }) => rgb(color));
  const seen = new Map();
  const pixels = image.data;
  const labels = new Uint8Array(pixels.length / 4);
  for (let place = 0; place < labels.length; place += 1) {
    const r = pixels[place * 4];
    const g = pixels[place * 4 + 1];
    const b = pixels[place * 4 + 2];
    const key = (r << 16) | (g << 8) | b;
    let label = seen.get(key);
    if (label === undefined) {
      const far = colors.map(([x, y, z]) => (x - r) ** 2 + (y - g) ** 2 + (z - b) ** 2);
      label = far.indexOf(Math.min(...far));
      seen.set(key, label);
    }
    labels[place] = label;
  }
  return labels;
}

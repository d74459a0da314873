// Photos beneath a drawing, to draw over: the first of the list lies on top.

import { button, h, iconButton } from "../dom.js";
import { recall, remember } from "../kept.js";
import { choose, droppable } from "./files.js";

const FAINT = 0.55; // how strong a drawing is at first when something lies beneath

export class Layers {
  #layers = [];

  /** canvas: of the drawing, which lies on top; name: under which the browser keeps the photos. */
  constructor({ canvas, name, signal }) {
    Object.assign(this, { canvas, name, strength: 1 });
    this.place = h("div", { class: "layer beneath" });
    this.element = h("div", { class: "layers" });
    droppable(this.element, (files) => this.add(files), signal);
    signal.addEventListener("abort", () => this.#layers.forEach(({ url }) => URL.revokeObjectURL(url)));
    this.#show();
  }

  async recall() {
    const kept = await recall(this.name);
    if (!kept?.layers) return;
    this.#layers = kept.layers.map((one) => ({ ...one, url: URL.createObjectURL(one.file) }));
    this.strength = kept.strength;
    this.#show();
  }

  add(files) {
    const photos = files.filter(({ type }) => type.startsWith("image/"));
    if (!photos.length) return;
    if (!this.#layers.length) this.strength = FAINT;
    this.#layers.unshift(...photos.map((file) => ({ file, url: URL.createObjectURL(file), opacity: 1, shown: true })));
    this.#changed();
  }

  #changed() {
    this.#show();
    this.#keep();
  }

  #keep() {
    const layers = this.#layers.map(({ url, ...one }) => one);
    remember(this.name, layers.length ? { layers, strength: this.strength } : null);
  }

  #show() {
    const layers = this.#layers;
    if (!layers.length) this.strength = 1;
    this.canvas.style.opacity = this.strength;
    const image = ({ url, opacity, shown }) => {
      const found = h("img", { class: "layer", src: url, alt: "", hidden: !shown });
      found.style.opacity = opacity;
      return found;
    };
    const images = layers.map(image);
    this.place.replaceChildren(...images.toReversed());
    const add = button("Photo beneath", () => choose("image/*", true, (files) => this.add(files)), { icon: "image-plus", "data-act": "beneath", "data-tip": "To draw over: also by drag and drop" });
    this.element.replaceChildren(
      ...(layers.length ? [h("h2", null, "Photos beneath"), this.#slider("Strength of the drawing", this.strength, (value) => (this.canvas.style.opacity = this.strength = value))] : []),
      ...layers.map((one, place) => this.#row(one, place, images[place])),
      add,
    );
  }

  #slider(label, value, set) {
    return h("div", { class: "field" }, h("label", { class: "weight" }, h("span", null, label), h("input", { type: "range", min: 0, max: 1, step: 0.05, value, oninput: (event) => set(event.target.valueAsNumber), onchange: () => this.#keep() })));
  }

  #row(one, place, image) {
    const layers = this.#layers;
    const { name } = one.file;
    const turn = () => {
      one.shown = !one.shown;
      this.#changed();
    };
    const rise = () => {
      layers.splice(place - 1, 2, one, layers[place - 1]);
      this.#changed();
    };
    const drop = () => {
      URL.revokeObjectURL(one.url);
      layers.splice(place, 1);
      this.#changed();
    };
    const fade = (event) => {
      one.opacity = event.target.valueAsNumber;
      image.style.opacity = one.opacity;
    };
    return h(
      "div",
      { class: `beneath-row ${one.shown ? "" : "off"}`, role: "group", "aria-label": name },
      h("img", { src: one.url, alt: "", width: 32, height: 32 }),
      h("input", { type: "range", min: 0, max: 1, step: 0.05, value: one.opacity, "aria-label": `How strongly ${name} is shown`, "data-tip": name, oninput: fade, onchange: () => this.#keep() }),
      iconButton("eye", "Show or hide", turn, { "aria-pressed": String(one.shown) }),
      iconButton("chevron-right", "Up", rise, { class: "up", disabled: place === 0 }),
      iconButton("x", "Take away", drop),
    );
  }
}

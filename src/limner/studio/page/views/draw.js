// Draw and see: a drawing in a model's colours on the left, the picture that the model makes of it on the right.

import { button, h, icon, iconButton, isTyping, words } from "../dom.js";
import { recall, remember } from "../kept.js";
import { Easel } from "../parts/easel.js";
import { choose, droppable, fileSlot } from "../parts/files.js";
import { arrange, compare, fit } from "../parts/frame.js";
import { Layers } from "../parts/layers.js";
import { Live } from "../parts/live.js";
import { brushSize } from "../parts/mask.js";
import { MOST, Painter, isOfPalette, labelsOf, pixelsOf } from "../parts/painter.js";
import { starter } from "../parts/starters.js";
import { href, keep, whole } from "../route.js";
import { draw } from "../service.js";

const LINES = [
  { name: "Paper", color: "#ffffff" },
  { name: "Ink", color: "#000000" },
]; // of models that take dark lines on white
const COLOURS = [
  ...LINES,
  ...[["Gray", "#808080"], ["Red", "#d02020"], ["Orange", "#f08020"], ["Yellow", "#f0d030"], ["Green", "#30a040"], ["Blue", "#3060d0"], ["Sky", "#90c8f0"], ["Violet", "#8040b0"], ["Brown", "#805030"], ["Skin", "#f0c8a0"]].map(([name, color]) => ({ name, color })),
]; // of models that take any picture
const SIDE = 256;
const KEEP_AFTER = 800; // milliseconds without a stroke until the drawing is kept

class DrawPage {
  constructor(context, models) {
    Object.assign(this, context, { models });
    const { params } = context;
    this.model = models.find(({ name }) => name === params.get("model")) ?? models[0];
    this.seed = whole(params, "seed");
    this.view = params.get("view") ?? "beside";
    this.palette = this.model.palette ?? (this.model.facts?.derived === "edges" ? LINES : COLOURS);
    this.direction = this.model.directions?.find(({ name }) => name === params.get("direction"))?.name ?? null;
    this.stylePhoto = null;
  }

  async mount(root) {
    const { signal } = this;
    const kept = await recall(`drawing:${this.model.name}`);
    this.stylePhoto = (await recall(`style:${this.model.name}`)) ?? null;
    if (signal.aborted) return;
    const width = kept?.width ?? this.#side("width");
    const height = kept?.height ?? this.#side("height");
    this.painter = new Painter(width, height, this.palette, this.#ground());
    if (kept?.labels?.length === width * height) {
      this.painter.replace(width, height, kept.labels);
      this.painter.forget();
    }
    this.easel = new Easel(this.painter, { label: this.#first(), size: this.model.palette ? Math.max(2, Math.round(width / 20)) : 3, name: "Drawing", signal });
    this.live = new Live({ ask: async (session, given) => draw(await this.#order(), session, given), onpicture: (picture, spent) => this.#show(picture, spent), onerror: (text) => this.#wrong(text), onbusy: (busy) => this.paper.classList.toggle("busy", busy), signal });
    this.#build(root);
    this.#listen();
    if (!this.painter.isEmpty) this.live.soon();
  }

  #side(name) {
    const given = whole(this.params, name);
    return given >= 16 && given <= MOST ? given : SIDE;
  }

  /** What is painted with at first: the class after that of the ground. */
  #first() {
    return (this.#ground() + 1) % this.palette.length;
  }

  /** What an empty drawing is full of. */
  #ground() {
    const found = this.palette.findIndex(({ name }) => /^(background|wall|paper|void|sky|unlabeled)$/i.test(name));
    return Math.max(0, found);
  }

  #build(root) {
    const { easel, signal } = this;
    this.layers = new Layers({ canvas: this.painter.canvas, name: `beneath:${this.model.name}`, signal });
    this.layers.recall();
    easel.element.prepend(this.layers.place);
    this.left = h("div", { class: "room" }, easel.element);
    this.paper = h("div", { class: "paper", "aria-label": "Picture made of the drawing", role: "region" }, this.#invitation());
    this.right = h("div", { class: "room" }, this.paper);
    this.rooms = h("div", { class: "rooms two" }, this.left, this.right);
    this.arrange = arrange(this.rooms, () => [this.painter.width, this.painter.height], signal);
    for (const one of [easel.element, this.paper]) fit(one, this.painter.width, this.painter.height, signal);
    this.problem = h("div", { class: "problem", role: "alert" });
    this.facts = h("span", { class: "facts" });
    this.saveResult = h("a", { class: "button", download: "picture.png", "aria-disabled": "true" }, icon("download"), h("span", null, "Download"));
    this.viewButton = iconButton("contrast", "Drawing and picture, one over the other", () => this.#turnView(), { "aria-pressed": String(this.view === "compare") });
    const bar = h("div", { class: "bar" }, h("div", { class: "bar-group" }, brushSize(easel), this.viewButton), this.facts, h("div", { class: "bar-group" }, this.saveResult));
    const stage = h("section", { class: "stage", id: "stage", tabindex: -1, "aria-label": "Drawing and picture" }, h("div", { class: "picture" }, this.rooms), this.problem, bar);
    droppable(stage, (files) => this.#dropped(files), signal);
    const tools = easel.column(
      iconButton("folder-open", "Open a drawing", () => choose("image/png,image/*", false, ([file]) => this.#open(file))),
      iconButton("save", "Save the drawing", () => this.#save()),
    );
    root.replaceChildren(h("div", { class: "tools-place" }, tools), stage, this.#panel());
    root.classList.add("with-tools");
  }

  #invitation() {
    const { width, height, ground } = this.painter;
    const labels = starter(this.palette, width, height, ground);
    const begin = () => {
      this.painter.replace(width, height, labels);
      this.easel.changed();
    };
    return h("div", { class: "invitation" }, h("p", null, "Draw, and the picture follows here."), labels && button("Begin with an example", begin, { "data-act": "example" }));
  }

  #panel() {
    const { signal } = this;
    const model = h("select", { id: "draw-model", value: this.model.name, onchange: (event) => this.#take(event.target.value) }, this.models.map(({ name, title }) => h("option", { value: name }, title ? `${name} (${title})` : name)));
    const seed = h("input", { id: "draw-seed", type: "number", min: 0, step: 1, value: this.seed, onchange: (event) => this.#reseed(event.target.valueAsNumber || 0) });
    this.seedBox = seed;
    const style = fileSlot({ label: "Style photo", help: "Its colours and light", accept: "image/*", signal, file: this.stylePhoto, onfile: (file) => this.#restyle(file) });
    const takesStyle = this.model.inputs?.some(({ name, kind }) => /style/.test(`${name} ${kind}`)) ?? false;
    return h(
      "aside",
      { class: "panel", id: "panel", "aria-label": "Settings" },
      h("div", { class: "field" }, h("label", { for: "draw-model", class: "caption" }, "Model"), model),
      this.#direction(),
      h("h2", { id: "palette-name" }, "Colours"),
      this.#chips(),
      h("h2", null, "Settings"),
      h("div", { class: "field" }, h("label", { for: "draw-seed", class: "caption" }, "Seed"), h("div", { class: "with-button" }, seed, iconButton("dices", "Another seed", () => this.#reseed(Math.floor(Math.random() * 100000))))),
      this.#size(),
      takesStyle ? style.element : null,
      this.layers.element,
    );
  }

  /** Of a model that translates both ways. */
  #direction() {
    const ways = this.model.directions;
    if (!ways) return null;
    this.direction ??= ways[0].name;
    const turn = (event) => {
      this.direction = event.target.value;
      keep({ direction: this.direction });
      this.live.soon();
    };
    return h("div", { class: "field" }, h("label", { for: "draw-direction", class: "caption" }, "Make"), h("select", { id: "draw-direction", value: this.direction, onchange: turn }, ways.map(({ name, to }) => h("option", { value: name }, words(to)))));
  }

  #chips() {
    const chip = ({ name, color }, label) => {
      const swatch = h("span", { class: "swatch" });
      swatch.style.background = color;
      const key = label < 9 ? String(label + 1) : null;
      return h("button", { type: "button", class: "color", role: "radio", "aria-checked": String(label === this.easel.label), "data-label": label, onclick: () => this.#color(label) }, swatch, h("span", null, words(name)), key && h("kbd", { "aria-hidden": "true" }, key));
    };
    this.colors = h("div", { class: "colors", role: "radiogroup", "aria-labelledby": "palette-name" }, this.palette.map(chip));
    this.#color(this.easel.label);
    return this.colors;
  }

  #color(label) {
    this.easel.label = label;
    if (this.easel.tool === "eraser") this.easel.take("brush");
    for (const one of this.colors?.children ?? []) {
      const here = Number(one.dataset.label) === label;
      one.setAttribute("aria-checked", String(here));
      one.tabIndex = here ? 0 : -1;
    }
  }

  #size() {
    const box = (name, value) => h("input", { type: "number", min: 16, max: MOST, step: 1, value, "aria-label": name === "width" ? "Width in pixels" : "Height in pixels", onchange: () => this.#resize() });
    this.widthBox = box("width", this.painter.width);
    this.heightBox = box("height", this.painter.height);
    return h("div", { class: "field" }, h("span", { class: "caption" }, "Size of the drawing"), h("div", { class: "pair by" }, this.widthBox, h("span", { "aria-hidden": "true" }, "×"), this.heightBox));
  }

  #listen() {
    const { easel, signal } = this;
    easel.addEventListener("change", ({ detail }) => {
      this.live.soon();
      if (detail.over) this.#keepSoon();
      this.#reshape();
    });
    easel.addEventListener("label", () => this.#color(easel.label));
    document.addEventListener(
      "keydown",
      (event) => {
        if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
        const label = Number(event.key) - 1;
        if (label >= 0 && label < this.palette.length) this.#color(label);
      },
      { signal },
    );
    this.colors.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.#color((easel.label + step + this.palette.length) % this.palette.length);
      this.colors.children[easel.label].focus();
    });
    signal.addEventListener("abort", () => this.url && URL.revokeObjectURL(this.url));
  }

  #reshape() {
    const { width, height } = this.painter;
    const shape = `${width}x${height}`;
    if (this.shape === shape) return;
    this.shape = shape;
    this.widthBox.value = width;
    this.heightBox.value = height;
    this.arrange();
    for (const one of [this.easel.element, this.paper]) fit(one, width, height, this.signal);
    keep({ width: width === SIDE ? null : width, height: height === SIDE ? null : height });
  }

  #keepSoon() {
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => remember(`drawing:${this.model.name}`, this.painter.state), KEEP_AFTER);
  }

  #take(name) {
    keep({ model: name, direction: null, seed: null });
    dispatchEvent(new HashChangeEvent("hashchange"));
  }

  #reseed(seed) {
    this.seed = Math.max(0, Math.round(seed));
    this.seedBox.value = this.seed;
    keep({ seed: this.seed || null });
    this.live.soon();
  }

  #restyle(file) {
    this.stylePhoto = file;
    remember(`style:${this.model.name}`, file);
    this.live.soon();
  }

  #resize() {
    const side = (box, old) => Math.min(MOST, Math.max(16, Math.round(box.valueAsNumber) || old));
    const { width, height } = this.painter;
    this.painter.resize(side(this.widthBox, width), side(this.heightBox, height));
    this.easel.changed();
  }

  /** A PNG in the model's colours is a drawing; any other picture lies beneath. */
  async #dropped(files) {
    const [file] = files;
    const image = files.length === 1 && file.type === "image/png" ? await pixelsOf(file).catch(() => null) : null;
    return image && isOfPalette(image, this.palette) ? this.#open(file) : this.layers.add(files); // else a photo
  }

  async #open(file) {
    try {
      const image = await pixelsOf(file);
      this.painter.replace(image.width, image.height, labelsOf(image, this.palette));
      this.easel.changed();
    } catch {
      this.#wrong(`${file.name} is no picture that the browser reads: choose a PNG.`);
    }
  }

  async #save() {
    const url = URL.createObjectURL(await this.painter.png());
    h("a", { href: url, download: "drawing.png" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  async #order() {
    const form = new FormData();
    form.append("picture", await this.painter.png(), "drawing.png");
    const direction = this.model.directions ? { direction: this.direction } : {};
    form.append("options", JSON.stringify({ model: this.model.name, seed: this.seed, ...direction }));
    if (this.stylePhoto) form.append("style_photo", this.stylePhoto, this.stylePhoto.name);
    return form;
  }

  async #show(picture, spent) {
    const old = this.url;
    this.url = URL.createObjectURL(picture);
    this.#wrong("");
    const image = h("img", { src: this.url, alt: "Picture made of the drawing", class: "layer", draggable: "false" });
    await image.decode().catch(() => {});
    this.#place(image);
    this.paper.dataset.milliseconds = Math.round(spent);
    this.facts.textContent = `${image.naturalWidth} × ${image.naturalHeight} · ${Math.round(spent)} ms`;
    this.saveResult.href = this.url;
    this.saveResult.removeAttribute("aria-disabled");
    if (old) URL.revokeObjectURL(old);
  }

  #place(image) {
    if (this.view !== "compare") return this.paper.replaceChildren(image);
    const { width, height } = this.painter;
    const { element } = compare({ before: this.painter.canvas.toDataURL(), after: image.src, width, height, signal: this.signal });
    element.classList.add("filled");
    return this.paper.replaceChildren(element);
  }

  #turnView() {
    this.view = this.view === "compare" ? "beside" : "compare";
    this.viewButton.setAttribute("aria-pressed", String(this.view === "compare"));
    keep({ view: this.view === "compare" ? "compare" : null });
    const image = this.paper.querySelector("img.layer:not(.before)");
    if (image) this.#place(h("img", { src: image.src, alt: "Picture made of the drawing", class: "layer", draggable: "false" }));
  }

  #wrong(text) {
    this.problem.replaceChildren(...(text ? [icon("circle-alert"), h("span", null, text), button("Try again", () => this.live.soon())] : []));
  }
}

export async function mount(root, context) {
  context.head("Draw and see", "Paint on the left in the model’s colours; the picture on the right follows.");
  const models = context.catalog.models.filter(({ verb, verbs }) => (verbs ?? [verb]).includes("translate"));
  const fits = ({ palette, facts }) => (palette ? 2 : facts?.derived === "edges" ? 1 : 0);
  models.sort((a, b) => fits(b) - fits(a));
  if (models.length) return new DrawPage(context, models).mount(root);
  root.replaceChildren(
    h(
      "section",
      { class: "stage lone", id: "stage", tabindex: -1 },
      h("div", { class: "empty" }, h("div", { class: "drop still" }, icon("brush"), h("strong", null, "No model that takes drawings is here yet."), h("span", null, "Train pix2pix or spade on pairs of drawings and photos, or begin the studio with a model’s file: limner studio --model facades.safetensors"), h("a", { class: "button", href: href("train", { system: "pix2pix" }) }, icon("graduation-cap"), "Train one"))),
    ),
  );
  return undefined;
}

// Runs one network in the browser, with a control for each thing that it is given: see about.json.
import * as ort from "./ort.wasm.min.mjs";

const place = new URL("./", import.meta.url).href;
ort.env.wasm.wasmPaths = place;
ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;

const LONGEST = 512; // pixels of the longer side of a photo
const SLIDERS = 16; // of a latent, at most
const find = (id) => document.getElementById(id);
const made = (name, facts = {}, ...children) => {
  const element = Object.assign(document.createElement(name), facts);
  element.append(...children);
  return element;
};
const titled = (name) => (/^\d/.test(name) ? `Style ${name}` : name.charAt(0).toUpperCase() + name.slice(1).replaceAll("-", " "));
const say = (text) => { find("state").textContent = text; };

/** Standard normal numbers of a seed (mulberry32 and Box-Muller). */
export function chance(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return { uniform, normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()) };
}

/** RGBA bytes -> float32 (channels, height, width) in [0, 1]. */
export function planes(pixels, channels) {
  const count = pixels.length / 4, found = new Float32Array(channels * count);
  for (let at = 0; at < count; at++) {
    const [red, green, blue, alpha] = pixels.subarray(4 * at, 4 * at + 4);
    if (channels === 1) found[at] = (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
    else [red, green, blue, alpha].slice(0, channels).forEach((value, c) => { found[c * count + at] = value / 255; });
  }
  return found;
}

/** Float32 (channels, height, width) in [0, 1] -> RGBA bytes. */
export function bytes(values, channels, count) {
  const found = new Uint8ClampedArray(4 * count);
  for (let at = 0; at < count; at++) {
    for (let c = 0; c < 3; c++) found[4 * at + c] = 255 * values[(channels === 1 ? 0 : c) * count + at];
    found[4 * at + 3] = channels === 4 ? 255 * values[3 * count + at] : 255;
  }
  return found;
}

/** Logits (classes, height, width) -> the number of the likeliest class at each place. */
export function likeliest(values, classes, count) {
  const found = new Uint8Array(count);
  for (let at = 0; at < count; at++) {
    let best = 0;
    for (let one = 1; one < classes; one++) if (values[one * count + at] > values[best * count + at]) best = one;
    found[at] = best;
  }
  return found;
}

const rgb = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));

/** Sides that a network takes, near those of a picture. */
function fitting(width, height, port) {
  const share = Math.min(1, LONGEST / Math.max(width, height));
  const side = (length) => Math.max(port.whole_least, Math.round((share * length) / port.whole_multiple) * port.whole_multiple);
  return [side(width), side(height)];
}

class Photo {
  constructor(port, about, changed) {
    Object.assign(this, { port, about, changed, canvas: made("canvas", { width: 256, height: 256 }) });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.video = made("video", { muted: true, playsInline: true, hidden: true });
    const file = made("input", { type: "file", accept: "image/*", id: `file-${port.name}` });
    file.onchange = () => file.files[0] && this.read(file.files[0]);
    this.camera = made("button", { type: "button", textContent: "Camera" });
    this.camera.onclick = () => (this.stream ? this.stop() : this.film());
    this.element = made("fieldset", {}, made("legend", { textContent: port.name }),
      made("label", { htmlFor: file.id }, "Photo", file), this.camera, this.canvas, this.video);
    this.element.ondragover = (event) => event.preventDefault();
    this.element.ondrop = (event) => { event.preventDefault(); if (event.dataTransfer.files[0]) this.read(event.dataTransfer.files[0]); };
  }
  async read(file) {
    this.stop();
    try {
      this.show(await createImageBitmap(file));
    } catch {
      say(`${file.name} is no picture that this browser reads: save it as PNG or JPEG`);
    }
  }
  show(picture) {
    [this.canvas.width, this.canvas.height] = fitting(picture.videoWidth || picture.width, picture.videoHeight || picture.height, this.port);
    this.context.drawImage(picture, 0, 0, this.canvas.width, this.canvas.height);
    this.ready = true;
    this.changed();
  }
  async film() {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { width: 320 } });
    } catch {
      say("There is no camera, or it may not be used: choose a photo");
      return;
    }
    this.video.srcObject = this.stream;
    await this.video.play();
    this.camera.textContent = "Stop the camera";
    const next = () => { if (this.stream) { this.show(this.video); requestAnimationFrame(next); } };
    next();
  }
  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = undefined;
    this.camera.textContent = "Camera";
  }
  tensor(size, seed) {
    const { width, height } = this.canvas;
    const values = planes(this.context.getImageData(0, 0, width, height).data, this.port.channels);
    const { normal } = chance(seed);
    if (this.port.noise) for (let at = 0; at < values.length; at++) values[at] += this.port.noise * normal();
    return new ort.Tensor("float32", values, [1, this.port.channels, height, width]);
  }
  get size() { return [this.canvas.width, this.canvas.height]; }
}

class Drawing {
  constructor(port, about, changed) {
    const [width, height] = fitting(256, 256, port), classes = about.palette;
    Object.assign(this, { port, classes, labels: new Uint8Array(width * height), size: [width, height], ready: true, brush: 1 });
    this.canvas = made("canvas", { width, height, className: "drawing", role: "img", ariaLabel: "Drawing" });
    const palette = made("div", { className: "palette" });
    classes.forEach((one, number) => {
      const button = made("button", { type: "button" }, made("i"), one.name);
      button.firstChild.style.background = one.color;
      button.setAttribute("aria-pressed", number === this.brush);
      button.onclick = () => {
        this.brush = number;
        palette.childNodes.forEach((other) => other.setAttribute("aria-pressed", other === button));
      };
      palette.append(button);
    });
    const wide = made("input", { type: "range", min: 1, max: 64, value: 16, id: "brush" });
    const clear = made("button", { type: "button", textContent: "Clear" });
    clear.onclick = () => { this.labels.fill(0); this.paint(); changed(); };
    this.canvas.onpointerdown = (event) => { this.canvas.setPointerCapture(event.pointerId); this.dab(event, +wide.value); changed(); };
    this.canvas.onpointermove = (event) => { if (event.buttons) { this.dab(event, +wide.value); changed(); } };
    this.element = made("fieldset", {}, made("legend", { textContent: "Draw" }), palette,
      made("label", { htmlFor: "brush" }, "Brush", wide), clear, this.canvas);
    this.paint();
  }
  dab(event, wide) {
    const box = this.canvas.getBoundingClientRect(), [width, height] = this.size;
    const x = ((event.clientX - box.left) / box.width) * width, y = ((event.clientY - box.top) / box.height) * height;
    for (let row = Math.max(0, Math.floor(y - wide / 2)); row < Math.min(height, y + wide / 2); row++)
      for (let column = Math.max(0, Math.floor(x - wide / 2)); column < Math.min(width, x + wide / 2); column++)
        this.labels[row * width + column] = this.brush;
    this.paint();
  }
  colors() {
    const colors = this.classes.map((one) => rgb(one.color)), found = new Uint8ClampedArray(4 * this.labels.length);
    this.labels.forEach((label, at) => found.set([...colors[label], 255], 4 * at));
    return found;
  }
  paint() { this.canvas.getContext("2d").putImageData(new ImageData(this.colors(), ...this.size), 0, 0); }
  tensor() {
    const [width, height] = this.size;
    if (this.port.kind === "label_map") return new ort.Tensor("int64", BigInt64Array.from(this.labels, BigInt), [1, 1, height, width]);
    return new ort.Tensor("float32", planes(this.colors(), this.port.channels), [1, this.port.channels, height, width]);
  }
}

class Sliders {
  constructor(port, about, changed) {
    Object.assign(this, { port, ready: true, values: new Float32Array(port.channels) });
    const sliders = [...Array(Math.min(SLIDERS, port.channels)).keys()].map((number) => {
      const slider = made("input", { type: "range", min: -3, max: 3, step: 0.05, value: 0, id: `${port.name}-${number}` });
      slider.oninput = () => { this.values[number] = slider.value; changed(); };
      return slider;
    });
    const dice = made("button", { type: "button", textContent: "Random" });
    let seed = 0;
    dice.onclick = () => {
      const { normal } = chance(++seed);
      this.values = this.values.map(normal);
      sliders.forEach((slider, number) => { slider.value = this.values[number]; });
      changed();
    };
    this.element = made("fieldset", {}, made("legend", { textContent: "Features" }),
      ...sliders.map((slider, number) => made("label", { htmlFor: slider.id }, `${number + 1}`, slider)), dice);
  }
  tensor() { return new ort.Tensor("float32", this.values, [1, this.port.channels]); }
}

class Choice {
  constructor(port, about, changed) {
    this.ready = true;
    this.select = made("select", { id: port.name, onchange: changed });
    for (let number = 0; number < port.channels; number++) this.select.append(made("option", { value: number, textContent: about.classes[number] ?? number }));
    this.element = made("fieldset", {}, made("label", { htmlFor: port.name }, "Class", this.select));
  }
  tensor() { return new ort.Tensor("int64", [BigInt(this.select.value)], [1]); }
}

/** A style, or shares of several, that are brought to a sum of 1. */
class Mixture {
  constructor(port, about, changed) {
    Object.assign(this, { port, ready: true });
    const names = [...Array(port.channels).keys()].map((number) => titled(about.styles[number] ?? `${number + 1}`));
    const select = made("select", { id: port.name }, ...names.map((name, value) => made("option", { value, textContent: name })));
    const mixed = made("option", { value: "", textContent: "A mixture", hidden: true });
    select.append(mixed);
    this.sliders = names.map((_, number) => made("input", { type: "range", min: 0, max: 1, step: 0.05, id: `${port.name}-${number}` }));
    const choose = () => {
      this.sliders.forEach((slider, number) => { slider.value = +(number === +select.value); });
      changed();
    };
    select.onchange = choose;
    this.sliders.forEach((slider) => {
      slider.oninput = () => {
        const some = this.sliders.flatMap((one, number) => (+one.value ? [number] : []));
        select.value = some.length === 1 ? some[0] : "";
        changed();
      };
    });
    const mix = made("details", {}, made("summary", { textContent: "Mix" }),
      ...this.sliders.map((slider, number) => made("label", { htmlFor: slider.id }, names[number], slider)));
    this.element = made("fieldset", {}, made("label", { htmlFor: port.name }, "Style", select), mix);
    this.sliders.forEach((slider, number) => { slider.value = +(number === 0); });
  }
  tensor() {
    const shares = this.sliders.map((one) => +one.value), sum = shares.reduce((a, b) => a + b);
    return new ort.Tensor("float32", Float32Array.from(shares, (one) => (sum ? one / sum : 1 / shares.length)), [1, shares.length]);
  }
}

class Noise {
  constructor(port, about, changed) {
    Object.assign(this, { port, ready: true, element: "" });
  }
  tensor([width, height], seed) {
    const shape = [1, this.port.channels, Math.round(this.port.scale * height), Math.round(this.port.scale * width)];
    const { uniform, normal } = chance(seed), draw = this.port.uniform ? uniform : normal;
    return new ort.Tensor("float32", Float32Array.from({ length: shape.reduce((a, b) => a * b) }, draw), shape);
  }
}

const CONTROLS = { label_map: Drawing, latent: Sliders, class: Choice, mixture: Mixture, noise: Noise };

/** What the network gives, on the canvas. */
function show(tensor, port, about, photo) {
  const [, channels, height, width] = tensor.dims, canvas = find("result"), count = width * height;
  [canvas.width, canvas.height] = [width, height];
  canvas.classList.toggle("small", width < 128);
  let pixels = port.kind === "logits" ? undefined : bytes(tensor.data, channels, count);
  if (!pixels) {
    const labels = likeliest(tensor.data, channels, count), source = photo.context.getImageData(0, 0, width, height).data;
    pixels = new Uint8ClampedArray(source);
    labels.forEach((label, at) => {
      if (label || channels > 2) rgb(about.palette[label].color).forEach((value, c) => { pixels[4 * at + c] = (source[4 * at + c] + value) / 2; });
    });
  }
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
}

async function begin() {
  const about = await (await fetch("about.json")).json();
  document.title = find("title").textContent = about.title;
  find("about").textContent = [about.does, about.paper, about.licence].filter(Boolean).join(" · ");
  let seed = 0, running = false, wanted = false;
  const controls = about.inputs.map((port) => {
    const kind = port.kind === "photo" ? (about.palette && about.draws ? Drawing : Photo) : CONTROLS[port.kind];
    return new kind(port, about, () => make());
  });
  find("inputs").append(...controls.map((one) => one.element));
  if (about.inputs.some((port) => port.kind === "noise" || port.noise)) {
    const number = made("input", { type: "number", min: 0, value: 0, id: "seed" });
    number.oninput = () => { seed = Math.max(0, +number.value || 0); make(); };
    find("inputs").append(made("fieldset", {}, made("label", { htmlFor: "seed" }, "Seed", number)));
  }
  const session = await ort.InferenceSession.create(`${place}model.onnx`, { executionProviders: ["wasm"] });
  const make = async () => {
    wanted = true;
    if (running || !controls.every((one) => one.ready)) return;
    running = true;
    while (wanted) {
      wanted = false;
      const started = performance.now(), size = controls.find((one) => one.size)?.size ?? [256, 256];
      try {
        const given = Object.fromEntries(about.inputs.map((port, at) => [port.name, controls[at].tensor(size, seed + at)]));
        const results = await session.run(given);
        show(results[about.outputs[0].name], about.outputs[0], about, controls.find((one) => one.canvas));
        say(`${find("result").width} × ${find("result").height} pixels in ${Math.round(performance.now() - started)} ms`);
        find("save").disabled = false;
      } catch (error) {
        say(`It could not be made (${error.message}): try a smaller photo`);
      }
    }
    running = false;
  };
  find("run").disabled = false;
  find("run").onclick = () => (controls.every((one) => one.ready) ? make() : say("Choose a photo first"));
  find("save").onclick = () => find("result").toBlob((blob) => {
    made("a", { href: URL.createObjectURL(blob), download: `${about.name}.png` }).click();
  });
  say(controls.every((one) => one.ready) ? "Ready" : "Ready: choose a photo");
  make();
}

begin().catch((error) => say(`The model could not be loaded (${error.message}): reload the page, or serve the folder over HTTP`));

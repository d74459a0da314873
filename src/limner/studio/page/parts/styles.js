// Styles as pictures: one by a click, several mixed by sliders, one's own by drag and drop.

import { h, icon, words } from "../dom.js";
import { choose, droppable } from "./files.js";

const OWN = "own:";
const AT_ONCE = 2; // a browser holds six connections open, and some pictures of styles are painted only when asked for

/** Loads pictures a few at a time, so that what is begun meanwhile does not wait for all of them. */
class Slowly {
  #waiting = [];
  #loading = 0;

  load(image, url) {
    this.#waiting.push([image, url]);
    setTimeout(() => this.#next());
  }

  #next() {
    while (this.#loading < AT_ONCE && this.#waiting.length) {
      const [image, url] = this.#waiting.shift();
      if (!image.isConnected) continue;
      this.#loading += 1;
      const ended = () => {
        this.#loading -= 1;
        this.#next();
      };
      image.addEventListener("load", ended, { once: true });
      image.addEventListener("error", ended, { once: true });
      image.src = url;
    }
  }
}

/** known: [{name, thumbnail}]; chosen: ["great-wave:0.7", "@1:0.3"], where @1 is the first of own: [File]. */
export function styleMixer({ known, chosen, own, onchange, signal }) {
  const weights = new Map();
  for (const one of chosen) {
    const [, name, weight] = /^(.*?)(?::([\d.]+))?$/.exec(one);
    weights.set(name.replace(/^@(\d+)$/, (_, number) => `${OWN}${number - 1}`), Number(weight ?? 1));
  }
  const files = new Map(own.map((file, place) => [`${OWN}${place}`, file]));
  for (const name of weights.keys()) if (name.startsWith(OWN) && !files.has(name)) weights.delete(name);
  const element = h("div", { class: "styles" });
  const tell = () => {
    const several = weights.size > 1;
    const sent = [...weights.keys()].filter((name) => name.startsWith(OWN));
    const called = (name) => (name.startsWith(OWN) ? `@${sent.indexOf(name) + 1}` : name);
    onchange({ styles: [...weights].map(([name, weight]) => (several ? `${called(name)}:${weight}` : called(name))), own: sent.map((name) => files.get(name)) });
  };
  const change = () => {
    show();
    tell();
  };
  const toggle = (name, event) => {
    const more = event.shiftKey || event.ctrlKey || event.metaKey || mix.checked;
    const had = weights.has(name);
    if (!more) weights.clear();
    if (had) weights.delete(name);
    else weights.set(name, 1);
    change();
    element.querySelector(`[data-style="${CSS.escape(name)}"]`)?.focus();
  };
  const add = (given) => {
    if (!mix.checked) weights.clear();
    for (const file of given) {
      const name = `${OWN}${files.size}`;
      files.set(name, file);
      weights.set(name, 1);
    }
    change();
  };
  const mix = h("input", { type: "checkbox", role: "switch", class: "switch", id: "mix-styles", checked: weights.size > 1 });
  const tile = (name, label, url) =>
    h(
      "button",
      { type: "button", class: "style", "aria-pressed": String(weights.has(name)), "aria-label": label, "data-tip": label, "data-style": name, onclick: (event) => toggle(name, event) },
      pictureOf(name, label, url),
      icon("check"),
    );
  const isSeen = ({ name, thumbnail }) => thumbnail && !/^\d+$/.test(name); // what has a number for a name has no picture
  const named = known.filter((one) => !isSeen(one));
  const slowly = new Slowly();
  const pictures = new Map();
  const pictureOf = (name, label, url) => {
    if (!pictures.has(name)) {
      const image = h("img", { alt: "", width: 64, height: 64, decoding: "async" });
      image.addEventListener("error", () => {
        pictures.set(name, h("small", { class: "style-name" }, label));
        image.replaceWith(pictures.get(name));
      });
      pictures.set(name, image);
      slowly.load(image, url);
    }
    return pictures.get(name);
  };
  const urls = new Map();
  const urlOf = (name) => {
    if (!urls.has(name)) urls.set(name, URL.createObjectURL(files.get(name)));
    return urls.get(name);
  };
  signal.addEventListener("abort", () => urls.forEach((url) => URL.revokeObjectURL(url)));
  const label = (name) => (name.startsWith(OWN) ? files.get(name).name : words(name));
  const slider = ([name, weight]) => {
    const move = (event) => {
      weights.set(name, event.target.valueAsNumber);
      event.target.nextSibling.textContent = weights.get(name).toFixed(2);
      tell();
    };
    return h("label", { class: "weight" }, h("span", null, label(name)), h("input", { type: "range", min: 0.05, max: 1, step: 0.05, value: weight, oninput: move }), h("output", null, weight.toFixed(2)));
  };
  const show = () => {
    const scrolled = element.firstElementChild?.scrollTop ?? 0;
    element.replaceChildren(
      h(
        "div",
        { class: "style-grid", role: "group", "aria-label": "Styles" },
        known.filter(isSeen).map(({ name, thumbnail }) => tile(name, words(name), thumbnail)),
        [...files.keys()].map((name) => tile(name, files.get(name).name, urlOf(name))),
        h(
          "button",
          { type: "button", class: "style own", "aria-label": "Yours: choose a picture of a style", "data-tip": "Your own: choose or drop a picture", onclick: () => choose("image/*", true, add) },
          icon("plus"),
          h("small", null, "Yours"),
        ),
      ),
      named.length ? h("details", { class: "more", open: named.some(({ name }) => weights.has(name)) }, h("summary", null, icon("chevron-right"), `${named.length} more by name`), h("div", { class: "chips" }, named.map(({ name }) => h("button", { type: "button", class: "chip", "aria-pressed": String(weights.has(name)), "data-style": name, onclick: (event) => toggle(name, event) }, words(name))))) : "",
      h("div", { class: "field field-switch" }, h("label", { for: "mix-styles", class: "caption" }, "Mix several"), mix),
      weights.size > 1 ? h("div", { class: "weights" }, [...weights].map(slider)) : "",
    );
    element.firstElementChild.scrollTop = scrolled;
  };
  show();
  droppable(element, add, signal);
  return { element };
}

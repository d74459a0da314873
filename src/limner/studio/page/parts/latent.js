// A latent under the hand: a slider for each of its first numbers, and the picture that follows.

import { button, h, icon, iconButton } from "../dom.js";
import { sample } from "../service.js";
import { single } from "./frame.js";
import { Live } from "./live.js";

const MOST = 3; // of a normal number, either way

export class LatentPage {
  /** order: what else the picture is made of, {model, seed, truncation}; classes: how many the model knows, or 0. */
  constructor({ order, classes, stage, bar, side, signal, onerror }) {
    Object.assign(this, { order, stage, bar, side, signal });
    this.changes = {};
    this.label = 0;
    this.sliders = null;
    this.#classes(classes);
    this.live = new Live({
      ask: (session, given) => sample({ ...this.order(), ...(classes ? { label: this.label } : {}), latent: this.changes }, session, given),
      onpicture: (made) => {
        onerror("");
        this.#show(made);
      },
      onerror,
      onbusy: (busy) => this.stage.firstElementChild?.classList.toggle("busy", busy),
      signal,
    });
    stage.replaceChildren(h("div", { class: "rooms" }));
    this.live.soon();
  }

  /** Another seed, model or truncation. */
  changed(isOther) {
    if (isOther) this.changes = {};
    this.live.soon();
  }

  #classes(number) {
    const take = (event) => {
      this.label = Number(event.target.value);
      this.live.soon();
    };
    const several = number > 1 && h("label", { class: "select-button" }, h("span", null, "Class"), h("select", { value: "0", onchange: take }, [...Array(number).keys()].map((one) => h("option", { value: one }, String(one)))));
    const back = iconButton("undo-2", "Back to what the seed gives", () => this.changed(true));
    this.facts = h("span", { class: "facts" });
    this.bar.replaceChildren(h("div", { class: "bar-group" }, several || "", back), this.facts, h("div", { class: "bar-group" }, button("Chance", () => this.#roll(), { icon: "dices", class: "wordless" })));
  }

  #roll() {
    const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
    for (const place of this.sliders?.keys() ?? []) this.changes[place] = Number(Math.max(-MOST, Math.min(MOST, normal())).toFixed(2));
    this.live.soon();
  }

  #show({ url, width, height, latent }) {
    const image = this.stage.querySelector("img.layer");
    if (image?.naturalWidth === width && image.naturalHeight === height) image.src = url;
    else {
      const { element } = single({ url, alt: "Picture of this latent", width, height, signal: this.signal });
      this.stage.replaceChildren(h("div", { class: "rooms" }, h("div", { class: "room" }, element)));
    }
    this.facts.textContent = `${width} × ${height}`;
    this.#sliders(latent);
  }

  #sliders(latent) {
    if (this.sliders?.length !== latent.length) {
      const one = (_, place) => {
        const move = (event) => {
          this.changes[place] = event.target.valueAsNumber;
          this.live.soon();
        };
        return h("input", { type: "range", min: -MOST, max: MOST, step: 0.05, "aria-label": `Number ${place + 1} of the latent`, "data-latent": place, oninput: move });
      };
      this.sliders = latent.map(one);
      this.side.replaceChildren(h("details", { class: "more", open: true }, h("summary", null, icon("chevron-right"), "Change its features"), h("div", { class: "latent" }, this.sliders)));
    }
    this.sliders.forEach((slider, place) => {
      if (document.activeElement !== slider) slider.value = latent[place];
    });
  }
}

// A job that is being worked on: how far it is, how long it takes, the picture so far, and a way out.

import { button, duration, h } from "../dom.js";
import { jobs } from "../jobs.js";
import { single, sizeOf } from "./frame.js";

export class Working {
  #preview = null;
  #shape = "";

  constructor({ job, before, stage, bar, signal, onerror }) {
    Object.assign(this, { id: job.id, stage, signal });
    this.fill = h("span", { class: "fill" });
    this.line = h("div", { class: "progress", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 }, this.fill);
    this.words = h("span", { class: "facts" });
    const cancel = () => jobs.cancel(job.id).catch((error) => onerror(error.message));
    bar.replaceChildren(this.line, this.words, button("Cancel", cancel, { icon: "x", "data-act": "cancel" }));
    jobs.follow(job.id);
    this.ready = this.#put(before, "Being worked on", true);
    this.tell(jobs.get(job.id) ?? job);
  }

  tell(job) {
    const done = job.done ?? 0;
    const percent = Math.round(done * 100);
    this.fill.style.transform = `scaleX(${done})`;
    this.line.setAttribute("aria-valuenow", percent);
    this.line.classList.toggle("unknown", !done);
    const left = job.left_seconds ? ` · ${duration(job.left_seconds)} left` : "";
    if (job.state === "waiting") this.words.textContent = job.place ? `Waiting, number ${job.place}` : "Waiting";
    else this.words.textContent = done ? `${percent} %${left}` : "Working";
    if (!job.preview || this.#preview === percent) return;
    this.#preview = percent;
    this.ready = this.ready.then(() => this.#put(`${job.preview}?at=${percent}`, "The picture so far", false));
  }

  async #put(url, alt, faded) {
    const size = url && (await sizeOf(url).catch(() => null));
    if (this.signal.aborted || jobs.get(this.id)?.state === "done") return;
    if (!size) {
      if (faded) this.#show(h("div", { class: "blank waiting" }));
      return;
    }
    const shape = `${size.width}x${size.height}`;
    if (this.#shape === shape) {
      const image = this.stage.querySelector("img.layer");
      image.src = url; // no new frame: nothing jumps
      image.alt = alt;
      image.parentElement.classList.toggle("waiting", faded);
      return;
    }
    this.#shape = shape;
    const { element } = single({ url, alt, ...size, signal: this.signal });
    element.classList.toggle("waiting", faded);
    this.#show(element);
  }

  #show(element) {
    this.stage.replaceChildren(h("div", { class: "rooms" }, h("div", { class: "room" }, element)));
  }
}

// What a job has given, on the stage: compared, side by side, alone, as a grid.

import { button, duration, h, icon, iconButton, say } from "../dom.js";
import { blob, text } from "../service.js";
import { arrange, compare, single, sizeOf } from "./frame.js";
import { overlay } from "./overlay.js";
import { table } from "./table.js";

const UNSHOWN = [".tif", ".tiff"]; // which browsers do not show

const endsWith = (name, ...ends) => ends.some((end) => name.toLowerCase().endsWith(end));
const isShown = (one) => (one.kind === "picture" || one.kind === "video") && !endsWith(one.name, ...UNSHOWN);
const stem = (name) => name.replace(/\.[^.]*$/, "");

export const shownOf = (job) => job.results.filter(isShown);

/** The file that a result was made of: its name begins with that of the file. */
function inputOf(job, result) {
  const photos = job.inputs.filter((one) => one.field === "picture");
  return photos.find((one) => result && stem(result.name).startsWith(`${stem(one.name)}_`)) ?? (photos.length === 1 ? photos[0] : null);
}

function beforeOf(job, result) {
  const input = result?.kind === "picture" ? inputOf(job, result) : null;
  return input?.kind === "video" ? null : (input?.url ?? null);
}

/** What a result is called on the disk of its user: after the file that it was made of. */
function ownName(job, result) {
  const input = inputOf(job, result);
  if (!input?.was || !result.name.startsWith(stem(input.name))) return result.name;
  return stem(input.was) + result.name.slice(stem(input.name).length);
}

function download(job, result) {
  return h("a", { class: "button", href: result.url, download: ownName(job, result), "aria-label": `Download ${result.name}` }, icon("download"), h("span", null, "Download"));
}

/** Fill a stage with a job that is done. state: {view, place, zoom}, changed by the bar's buttons through `keep`. */
export class ResultView {
  constructor({ job, palette, aligned, signal, stage, bar, side, state, keep, onagain, oncontinue, onbar, verbs }) {
    Object.assign(this, { job, palette, aligned, stage, bar, side, state, keep, onagain, oncontinue, onbar, verbs });
    this.outer = signal;
    this.shown = shownOf(job);
  }

  async show() {
    this.ending?.abort();
    this.ending = new AbortController();
    const signal = AbortSignal.any([this.outer, this.ending.signal]);
    const { state, shown } = this;
    const place = Math.min(Math.max(0, state.place ?? 0), shown.length - 1);
    const many = shown.length > 1;
    const grid = many && state.view === "grid";
    this.side.replaceChildren();
    if (!shown.length) this.stage.replaceChildren(this.#others(true));
    else if (grid) this.stage.replaceChildren(this.#grid());
    else await this.#one(shown[place], beforeOf(this.job, shown[place]), signal);
    if (signal.aborted) return;
    this.#bar(shown[place], beforeOf(this.job, shown[place]), grid);
    await this.#beside();
  }

  #set(changes) {
    Object.assign(this.state, changes);
    this.keep(changes);
    return this.show();
  }

  #grid() {
    return h(
      "div",
      { class: "grid", role: "list" },
      this.shown.map((one, place) =>
        h(
          "button",
          { type: "button", class: "grid-item", role: "listitem", "aria-label": `Result ${place + 1}: ${one.name}`, onclick: () => this.#set({ place, view: null }) },
          one.kind === "video" ? h("video", { src: one.url, muted: true }) : h("img", { src: one.url, alt: "", width: one.width, height: one.height, loading: "lazy", decoding: "async" }),
        ),
      ),
    );
  }

  async #one(result, before, signal) {
    const { width, height } = result.width ? result : result.kind === "video" ? { width: 640, height: 360 } : await sizeOf(result.url);
    const scaleOf = () => (this.state.zoom ? 1 / devicePixelRatio : 0);
    const given = { width, height, signal, scaleOf };
    const photo = before && (await sizeOf(before).catch(() => null)) && before;
    if (signal.aborted) return;
    const classes = photo && endsWith(result.name, "_classes.png");
    this.isOverlay = false;
    this.canCompare = Boolean(photo) && !classes && this.aligned;
    let shown;
    if (classes && this.state.view !== "result") {
      const made = await overlay(result.url, this.palette);
      const { element } = single({ url: photo, alt: "Photo", ...given });
      element.append(made.canvas);
      this.side.append(made.toggles);
      shown = [element];
      this.isOverlay = true;
    } else if (photo && this.#viewNow(photo) === "beside") {
      shown = [single({ url: photo, alt: "Before", ...given }).element, single({ url: result.url, alt: "Result", kind: result.kind, ...given }).element];
    } else if (this.canCompare && this.state.view !== "result") shown = [compare({ before: photo, after: result.url, ...given }).element];
    else shown = [single({ url: result.url, alt: "Result", kind: result.kind, ...given }).element];
    const rooms = shown.map((one) => h("div", { class: "room" }, one));
    const place = h("div", { class: `rooms ${this.state.zoom ? "zoomed" : ""} ${rooms.length > 1 ? "two" : ""}` }, rooms);
    if (rooms.length > 1) arrange(place, () => [width, height], signal);
    this.stage.replaceChildren(place);
  }

  /** How a result is seen until its user chooses. */
  #viewNow(before) {
    if (this.state.view && (this.state.view !== "compare" || this.canCompare || this.isOverlay)) return this.state.view;
    return this.canCompare || this.isOverlay ? "compare" : before && !this.aligned ? "beside" : "result";
  }

  #bar(result, before, grid) {
    const { state, job } = this;
    const view = this.#viewNow(before);
    const choice = (name, picture, label) => iconButton(picture, label, () => this.#set({ view: name }), { class: `view-${name}`, "aria-pressed": String(view === name) });
    const views = [
      this.shown.length > 1 ? choice("grid", "layout-grid", "All results") : null,
      (this.canCompare || this.isOverlay) && !grid ? choice("compare", this.isOverlay ? "layers" : "contrast", this.isOverlay ? "Classes over the photo" : "Before and after") : null,
      before && !grid ? choice("beside", "columns-2", "Side by side") : null,
      before && !grid ? choice("result", "image", "Result alone") : null,
    ].filter(Boolean);
    const zoom = grid || !result ? null : iconButton("scan", state.zoom ? "Fit into the stage" : "Show each pixel", () => this.#set({ zoom: state.zoom ? null : 1 }), { key: "Z", "aria-pressed": String(Boolean(state.zoom)), "data-act": "zoom" });
    const onward = result && this.verbs.length && h(
      "label",
      { class: "select-button" },
      h("span", { class: "unseen" }, "Continue with"),
      h("select", { value: "", onchange: async (event) => this.oncontinue(event.target.value, new File([await blob(result.url)], ownName(job, result))) }, h("option", { value: "" }, "Continue with"), this.verbs.map(({ name, title }) => h("option", { value: name }, title))),
    );
    const facts = [result?.width ? `${result.width} × ${result.height}` : null, job.seconds ? duration(job.seconds) : null].filter(Boolean).join(" · ");
    this.bar.replaceChildren(
      h("div", { class: "bar-group" }, views, zoom),
      h("span", { class: "facts" }, facts),
      h("div", { class: "bar-group" }, onward || "", button("Make again", this.onagain, { icon: "rotate-ccw", class: "wordless" }), result && !grid ? download(job, result) : zip(job)),
    );
    this.onbar(); // what the page has to add, each time that it is drawn
  }

  /** Tables and files that are no pictures. */
  async #beside() {
    const tables = this.job.results.filter((one) => endsWith(one.name, ".csv"));
    for (const one of tables) this.side.append(table(await text(one.url), "Objects"));
    const others = this.job.results.filter((one) => !isShown(one));
    if (others.length && this.shown.length) this.side.append(this.#others(false));
    for (const note of this.job.notes ?? []) this.side.append(h("p", { class: "note" }, note));
  }

  #others(alone) {
    const files = this.job.results.filter((one) => !isShown(one));
    if (alone && !files.length) return h("p", { class: "note centered" }, (this.job.notes ?? []).join(" ") || "Done.");
    return h("div", { class: `files ${alone ? "centered" : ""}` }, h("span", { class: "quiet" }, "Files"), files.map((one) => h("a", { href: one.url, download: ownName(this.job, one) }, icon("file"), one.name)));
  }
}

function zip(job) {
  return h("a", { class: "button", href: `/v1/jobs.zip?id=${encodeURIComponent(job.id)}`, download: "" }, icon("file-archive"), h("span", null, "Download all"));
}

export const tellDone = (job) => say(`${job.verb} is done: ${job.results.length} ${job.results.length === 1 ? "result" : "results"}`);

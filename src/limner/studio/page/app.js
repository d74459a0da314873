// The shell: what can be done on the left, the page on the right, what runs at the top.

import { h, icon, iconButton, isTyping, say, words } from "./dom.js";
import { SILENT, isActive, jobs, onJobs } from "./jobs.js";
import { current, href } from "./route.js";
import * as service from "./service.js";
import { startTips } from "./tips.js";

const PICTURES = { draw: "brush", upscale: "scaling", stylize: "palette", texture: "grid-3x3", restore: "wand-sparkles", segment: "shapes", translate: "arrow-left-right", generate: "dices", redirect: "eye", straighten: "rotate-3d", invert: "scan-search", imagine: "brain", morph: "blend", gallery: "images", train: "graduation-cap" };
const FAMILY = { "learn-style": "stylize" }; // others belong to what their name begins with

const KEYS = [
  ["Ctrl+Enter", "Begin"],
  ["B  L  R  G  E", "Brush, line, rectangle, fill, eraser"],
  ["[  ]", "Narrower, wider brush"],
  ["1 – 9", "Colour of the palette"],
  ["Alt + click", "Take the colour from the drawing"],
  ["Ctrl+Z  Ctrl+Y", "Undo, redo"],
  ["Z", "Each pixel, or all of the picture"],
  ["P", "Fold the settings"],
  ["?", "These keys"],
];

/** Verbs that belong together share a place in the column. */
function familiesOf(verbs) {
  const found = new Map();
  for (const { name, title } of verbs) {
    const first = name.split("-")[0];
    const key = FAMILY[name] ?? (verbs.filter((one) => one.name.split("-")[0] === first).length > 1 ? first : name);
    if (!found.has(key)) found.set(key, { key, title: key === name && !title.includes(" ") ? title : words(key), verbs: [] });
    found.get(key).verbs.push(name);
  }
  return [...found.values()];
}

const catalog = { verbs: [], models: [], styles: [], systems: [] };
let families = [];
let ending = null;
let page = "";

function rail() {
  const item = (name, title, picture) =>
    h("a", { class: "rail-item", href: href(name), "data-page": name }, icon(picture), h("span", null, title));
  document.getElementById("rail").replaceChildren(
    h("a", { class: "brand", href: href("draw"), "aria-label": "Limner studio" }, h("img", { src: "/page/mark.svg", alt: "", width: 28, height: 28 })),
    h(
      "div",
      { class: "rail-items" },
      item("draw", "Draw", PICTURES.draw),
      families.map(({ key, title, verbs }) => item(verbs[0], title, PICTURES[key] ?? "sparkles")),
      h("span", { class: "rule" }),
      item("gallery", "Gallery", PICTURES.gallery),
      item("train", "Train", PICTURES.train),
    ),
  );
}

function markRail() {
  const family = families.find(({ verbs }) => verbs.includes(page));
  for (const one of document.querySelectorAll(".rail-item")) {
    const here = one.dataset.page === (family?.verbs[0] ?? page);
    if (here) one.setAttribute("aria-current", "page");
    else one.removeAttribute("aria-current");
    if (here) one.scrollIntoView({ block: "nearest", inline: "center" });
  }
}

function head(title, description) {
  document.title = `${title} – Limner studio`;
  document.querySelector("#top h1").textContent = title;
  document.querySelector("#top .about").textContent = description;
}

function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const now = () => document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
  const toggle = iconButton("moon", "Dark or light", () => {
    document.documentElement.dataset.theme = now() === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("limner-theme", now());
    } catch {
      // it holds until the page is closed
    }
    show();
  });
  const show = () => toggle.replaceChildren(icon(now() === "dark" ? "sun" : "moon"));
  dark.addEventListener("change", show);
  show();
  return toggle;
}

/** What runs: seen on every page. */
function running() {
  const label = h("span");
  const link = h("a", { class: "running", href: href("gallery"), hidden: true }, h("span", { class: "pulse" }), label);
  const show = () => {
    const active = jobs.active;
    const now = active.find(({ state }) => state === "running");
    link.hidden = !active.length;
    const title = now ? (catalog.verbs.find(({ name }) => name === now.verb)?.title ?? words(now.verb)) : "Waiting";
    const share = now?.done ? ` ${Math.round(now.done * 100)} %` : "";
    const more = active.length > 1 ? ` · ${active.length - 1} more` : "";
    link.classList.toggle("silent", jobs.silent);
    label.textContent = jobs.silent ? "The studio does not answer" : title + share + more;
  };
  onJobs(undefined, show);
  jobs.addEventListener(SILENT, () => {
    show();
    if (jobs.silent) say(service.SILENT);
  });
  show();
  return link;
}

function top() {
  const fold = iconButton("panel-right", "Fold the settings", () => {
    const folded = document.body.classList.toggle("folded");
    fold.setAttribute("aria-expanded", String(!folded));
  }, { key: "P", "aria-expanded": "true", "data-act": "fold" });
  const keys = h("dialog", { class: "keys", "aria-label": "Keys" }, h("div", { class: "dialog-head" }, h("h2", null, "Keys"), iconButton("x", "Close", () => keys.close())), h("dl", null, KEYS.map(([key, text]) => [h("dt", null, key.split("  ").map((one) => h("kbd", null, one))), h("dd", null, text)])));
  document.getElementById("top").replaceChildren(h("h1", null, "Limner studio"), h("p", { class: "about" }), running(), h("div", { class: "top-buttons" }, iconButton("keyboard", "Keys", () => keys.showModal(), { key: "?", class: "no-phone" }), theme(), fold), keys);
  document.addEventListener("keydown", (event) => {
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") keys.showModal();
    if (event.key.toLowerCase() === "p") fold.click();
  });
}

/** A style that was learnt has a name from then on. */
async function learnt({ job, before }) {
  const isNew = before && isActive(before) && job?.state === "done";
  const { gives, inputs = [] } = catalog.verbs.find(({ name }) => name === job?.verb) ?? {};
  if (isNew && (gives === "style" || inputs.some(({ kind }) => kind === "style"))) catalog.styles = await service.styles().catch(() => catalog.styles);
}

async function show() {
  const now = current();
  if (now.page !== page) scrollTo(0, 0); // on a phone all of a page scrolls
  ending?.abort();
  ending = new AbortController();
  delete document.documentElement.dataset.ready;
  page = now.page;
  markRail();
  const view = document.getElementById("view");
  view.className = "";
  const context = { page, params: now.params, catalog, families, signal: ending.signal, head };
  const module = { draw: "draw", gallery: "gallery", train: "train" }[page] ?? "verb";
  const loaded = await import(`./views/${module}.js`).catch(() => null);
  if (context.signal.aborted) return;
  if (!loaded) return failed(new Error(service.SILENT));
  view.dataset.page = page;
  await loaded.mount(view, context);
  if (!context.signal.aborted) document.documentElement.dataset.ready = "true";
}

/** What the column was last time, so that it is there at once. */
function remembered() {
  try {
    return JSON.parse(localStorage.getItem("limner-families")) ?? [];
  } catch {
    return [];
  }
}

/** Shown while the service reads its models. */
function ready() {
  document.getElementById("view").replaceChildren(
    h("section", { class: "stage lone", id: "stage", tabindex: -1 }, h("div", { class: "empty late" }, h("div", { class: "drop still", role: "status" }, h("div", { class: "progress unknown" }, h("span", { class: "fill" })), h("strong", null, "Getting ready"), h("span", null, "The models are being read.")))),
  );
}

function failed(error) {
  document.getElementById("view").replaceChildren(
    h("section", { class: "stage lone", id: "stage", tabindex: -1 }, h("div", { class: "empty" }, h("div", { class: "drop still" }, icon("circle-alert"), h("strong", null, error.message), h("button", { type: "button", class: "button", onclick: () => location.reload() }, "Try again")))),
  );
}

async function start() {
  startTips();
  top();
  families = remembered();
  page = current().page;
  rail();
  markRail();
  ready();
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address tells the page, and not a place in it
    document.getElementById("stage")?.focus();
  });
  try {
    const [verbs, models, styles, systems] = await Promise.all([service.verbs(), service.models(), service.styles(), service.systems(), jobs.load()]);
    Object.assign(catalog, { verbs, models, styles, systems });
  } catch (error) {
    failed(error);
    return;
  }
  families = familiesOf(catalog.verbs);
  try {
    localStorage.setItem("limner-families", JSON.stringify(families));
  } catch {
    // the column comes a little later next time
  }
  rail();
  onJobs(undefined, learnt);
  addEventListener("hashchange", () => show().then(() => say(document.title)));
  addEventListener("visibilitychange", () => !document.hidden && jobs.load().catch(() => {}));
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault()); // a miss shall not leave the page
  await show();
}

start();

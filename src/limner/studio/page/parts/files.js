// Choosing files: by a click, by drag and drop, by pasting.

import { button, h, icon, iconButton } from "../dom.js";
import { href } from "../route.js";

const SAMPLES = [
  { name: "astronaut", label: "Astronaut" },
  { name: "cat", label: "Cat" },
  { name: "coffee", label: "Coffee" },
];

/** Where a photo of anything will not do, those that will, and the models that they are for. */
const FITTING = {
  redirect: SAMPLES.slice(0, 1),
  segment: [
    { name: "nuclei", label: "Nuclei of cells", model: "nuclei" },
    { name: "nuclei-dividing", label: "Cells that divide", model: "nuclei" },
    { name: "nuclei-apart", label: "Cells apart", model: "nuclei" },
  ],
  straighten: [
    { name: "seven", label: "A seven" },
    { name: "two", label: "A two" },
    { name: "five", label: "A five" },
  ],
  translate: [
    { name: "facade", label: "A front of a house", model: "facades" },
    { name: "drawing", label: "A face in lines", model: "faces" },
    { name: "earth", label: "The Urals from space", model: "maps" },
  ],
};

/** What to begin with where no picture is needed, by the verb, and the model where that makes a difference. */
const TRIED = {
  imagine: [
    { label: "A goldfish", options: { units: ["class:goldfish"], size: 128, quick: true } },
    { label: "A volcano", options: { units: ["class:volcano"], size: 128, quick: true } },
    { label: "What one channel sees", options: { units: ["relu4_3:12"], size: 128, quick: true } },
  ],
  "generate chairs": [
    { label: "All chairs", options: {} },
    { label: "A chair from three sides", options: { classes: ["oak_chair"], views: ["20,30", "20,120", "20,300"] } },
    { label: "A sofa becomes a stool", options: { morph: ["sofa", "stool"], frames: 8 } },
  ],
};

export const triedWith = (verb, model) => TRIED[verb] ?? TRIED[`${verb} ${model}`] ?? [];

/** The pictures to begin with on the page of a verb. */
export const samplesFor = (verb) => FITTING[verb] ?? SAMPLES;

const ACCEPT = { pictures: "image/*,.tif,.tiff,.heic", picture: "image/*,.tif,.tiff,.heic", video: "video/*,.gif", both: "image/*,video/*,.tif,.tiff,.heic" };

export function choose(accept, multiple, then) {
  const input = h("input", { type: "file", accept, multiple });
  input.addEventListener("change", () => input.files.length && then([...input.files]));
  input.click();
}

export const accepts = (input) => (input.video ? ACCEPT.both : (ACCEPT[input.kind] ?? ACCEPT.picture));

/** Let an element take dropped files; it shows that it would. */
export function droppable(element, then, signal) {
  const holds = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0;
  const mark = (on) => element.classList.toggle("dropping", on);
  const on = (name, react) =>
    element.addEventListener(
      name,
      (event) => {
        if (!holds(event)) return;
        event.preventDefault();
        event.stopPropagation();
        react(event);
      },
      { signal },
    );
  on("dragenter", () => mark((depth += 1) > 0));
  on("dragleave", () => mark((depth -= 1) > 0));
  on("dragover", (event) => (event.dataTransfer.dropEffect = "copy"));
  on("drop", async (event) => {
    mark(false);
    depth = 0;
    const files = await dropped(event.dataTransfer);
    if (files.length) then(files);
  });
}

/** All files that were dropped, those of folders too. */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  return (await Promise.all(entries.map(filesOf))).flat();
}

async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return (await Promise.all(found.map(filesOf))).flat();
    found.push(...some);
  }
}

/** The empty stage: a place to drop on, and pictures to begin with; `onfiles` is told the model that they are for. */
export function emptyStage({ title, hint, accept, multiple, onfiles, samples = SAMPLES }) {
  const sample = async ({ name, model }) => {
    const response = await fetch(`/page/samples/${name}.webp`);
    onfiles([new File([await response.blob()], `${name}.webp`, { type: "image/webp" })], model);
  };
  return h(
    "div",
    { class: "empty" },
    h(
      "button",
      { type: "button", class: "drop", onclick: () => choose(accept, multiple, onfiles) },
      icon("image-plus"),
      h("strong", null, title),
      h("span", null, hint),
    ),
    samples.length
      ? h(
          "div",
          { class: "samples" },
          h("span", { class: "quiet" }, "Or begin with"),
          h(
            "div",
            null,
            samples.map((one) =>
              h(
                "button",
                { type: "button", class: "sample", "aria-label": `Sample: ${one.label}`, "data-tip": one.label, onclick: () => sample(one) },
                h("img", { src: `/page/samples/${one.name}.webp`, alt: "", width: 96, height: 96, decoding: "async" }),
              ),
            ),
          ),
        )
      : null,
  );
}

/** The stage of a verb that needs no picture. */
export function noPicture(tried, ontry) {
  const samples = h("div", { class: "samples" }, h("span", { class: "quiet" }, "Or try"), h("div", null, tried.map(({ label, options }) => button(label, () => ontry(options)))));
  return h("div", { class: "empty" }, h("div", { class: "drop still" }, icon("sparkles"), h("strong", null, "This needs no picture: set what you like, then begin.")), tried.length ? samples : null);
}

/** The stage of a verb whose models are not here. */
export function noModel(system) {
  return h("div", { class: "empty" }, h("div", { class: "drop still" }, icon("graduation-cap"), h("strong", null, "No model for this is here yet."), h("a", { class: "button", href: href("train", { system }) }, icon("graduation-cap"), "Train one")));
}

/** A place for one file in the panel. */
export function fileSlot({ label, help, accept, onfile, signal, file = null }) {
  const element = h("div", { class: "slot" });
  let url = null;
  const show = (chosen) => {
    if (url) URL.revokeObjectURL(url);
    url = chosen ? URL.createObjectURL(chosen) : null;
    element.replaceChildren(
      h(
        "button",
        { type: "button", class: "slot-button", onclick: () => choose(accept, false, ([one]) => take(one)) },
        url ? h("img", { src: url, alt: "", width: 40, height: 40 }) : icon("image-plus"),
        h("span", null, h("b", null, label), h("small", null, chosen ? chosen.name : (help ?? "Choose or drop a file"))),
      ),
      chosen ? iconButton("x", `Take ${label} away`, () => take(null)) : "",
    );
  };
  const take = (chosen) => {
    show(chosen);
    onfile(chosen);
  };
  show(file);
  droppable(element, ([one]) => take(one), signal);
  return { element, take };
}

// Settings made from a JSON schema: an option that is new appears without a change here.

import { h, icon, iconButton, words } from "../dom.js";
import { anglePad } from "./pad.js";

/** Options that few people change: they wait in a fold. */
const LATE = new Set([
  "precision", "format", "quality", "crf", "steps", "preset", "compare", "start", "contours", "probabilities", "least_area", "columns",
  "stroke", "style_scale", "passes", "long_term", "steadiness", "nearest", "derive", "choices", "invert_mask", "eyes", "arithmetic",
  "transforms", "neuron", "gram", "direction", "sigma", "overlay", "noise_draws", "mix",
]); // prettier-ignore

/** Where a schema names no end, those that make sense for a slider: least, most, step. */
const RANGES = { strength: [0, 1, 0.05], steadiness: [0, 1, 0.05], style_scale: [0.25, 3, 0.05], truncation: [0.1, 2, 0.05], count: [1, 64, 1] };

/** Values to take by a click. */
const OFTEN = { scale: [2, 3, 4, 8], size: [256, 512, 1024], minutes: [1, 5, 20], layer: ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"], units: ["relu4_3:12", "relu5_1:40", "class:goldfish"], views: ["20,30", "20,120", "20,300"] };

/** The list of the names that a model knows its classes by. */
const NAMES = "names-of-classes";

let numbered = 0;

/** What the service calls a value of an option; else the value itself. */
export function titleOfValue(schema, value) {
  if (schema?.titles?.[value]) return schema.titles[value];
  if (typeof value === "boolean") return value ? "Yes" : "No";
  return Array.isArray(value) ? value.join(", ") : schema?.enum ? words(value) : String(value);
}

function choices(name, schema, value, set, id) {
  const optional = schema.default === null || schema.default === undefined;
  const few = schema.enum.length <= 4 && schema.enum.map((one) => titleOfValue(schema, one)).join("").length <= 26 && !optional;
  if (!few) {
    return h(
      "select",
      { id, value: value ?? "", onchange: (event) => set(event.target.value || null) },
      optional ? h("option", { value: "" }, "Automatic") : null,
      schema.enum.map((one) => h("option", { value: one }, titleOfValue(schema, one))),
    );
  }
  return h(
    "div",
    { class: "segments", role: "radiogroup", "aria-labelledby": `${id}-label` },
    schema.enum.map((one) =>
      h("label", null, h("input", { type: "radio", name: id, value: one, checked: one === value, onchange: () => set(one) }), h("span", null, titleOfValue(schema, one))),
    ),
  );
}

function number(name, schema, value, set, id) {
  const whole = schema.type === "integer";
  const range = RANGES[name] ?? (schema.minimum !== undefined && schema.maximum !== undefined ? [schema.minimum, schema.maximum, whole ? 1 : (schema.maximum - schema.minimum) / 100] : null);
  const read = (event) => {
    const given = event.target.valueAsNumber;
    set(Number.isNaN(given) ? null : given);
    return given;
  };
  const box = h("input", { id, type: "number", min: schema.minimum ?? range?.[0], max: schema.maximum ?? undefined, step: whole ? 1 : "any", placeholder: "Automatic", inputmode: whole ? "numeric" : "decimal", value: value ?? "" });
  if (!range || schema.default === null) {
    box.addEventListener("change", read);
    return box;
  }
  const slider = h("input", { type: "range", min: range[0], max: range[1], step: range[2], "aria-label": schema.title ?? words(name), value: value ?? range[0] });
  box.addEventListener("change", (event) => (slider.value = read(event)));
  slider.addEventListener("input", (event) => (box.value = read(event)));
  return h("div", { class: "slide" }, slider, box);
}

function seed(name, schema, value, set, id) {
  const box = h("input", { id, type: "number", min: 0, step: 1, inputmode: "numeric", value: value ?? 0, onchange: (event) => set(Math.max(0, Math.round(event.target.valueAsNumber || 0))) });
  const roll = () => {
    box.value = Math.floor(Math.random() * 100000);
    set(Number(box.value));
  };
  return h("div", { class: "with-button" }, box, iconButton("dices", "Another seed", roll));
}

function list(name, schema, value, set, id) {
  const fixed = schema.minItems !== undefined && schema.minItems === schema.maxItems;
  if (fixed) {
    const now = Array.from({ length: schema.minItems }, (_, place) => [value ?? []].flat()[place] ?? "");
    const change = (place) => (event) => {
      now[place] = event.target.value.trim();
      set(now.some(Boolean) ? now.filter(Boolean) : null);
    };
    return h("div", { class: "pair" }, now.map((one, place) => h("input", { id: place ? undefined : id, type: "text", "aria-label": `${words(name)}, ${place ? "to" : "from"}`, placeholder: place ? "To" : "From", value: one, list: name === "morph" ? NAMES : null, onchange: change(place) })));
  }
  const split = (text) => text.split(/[\n;]+/).map((one) => one.trim()).filter(Boolean);
  return h("input", { id, type: "text", placeholder: "One, or several with ;", value: [value ?? []].flat().join("; "), onchange: (event) => set(split(event.target.value)) });
}

/** Classes: written, or added one by one by their names. */
function classes(name, schema, value, set, id) {
  const box = list(name, schema, value, set, id);
  const known = h("select", { "aria-label": "Names of classes", "data-names": "" });
  const add = () => {
    box.value = [box.value.trim(), known.value].filter(Boolean).join("; ");
    box.dispatchEvent(new Event("change"));
  };
  return h("div", { class: "adds" }, box, h("div", { class: "with-button" }, known, iconButton("plus", "Add the class", add)));
}

function toggle(name, schema, value, set, id) {
  return h("input", { id, type: "checkbox", role: "switch", class: "switch", checked: Boolean(value), onchange: (event) => set(event.target.checked) });
}

/** A number as a text, which may also name several. */
function slidText(name, schema, value, set, id) {
  const [least, most, step] = RANGES[name];
  const box = h("input", { id, type: "text", placeholder: "None", value: value ?? "", onchange: (event) => set(event.target.value.trim() || null) });
  const slide = (event) => {
    box.value = event.target.value;
    set(box.value);
  };
  const slider = h("input", { type: "range", min: least, max: most, step, value: Number.parseFloat(value) || most, "aria-label": schema.title ?? words(name), oninput: slide });
  box.addEventListener("change", () => (slider.value = Number.parseFloat(box.value) || most));
  return h("div", { class: "slide" }, slider, box);
}

function text(name, schema, value, set, id) {
  return h("input", { id, type: "text", placeholder: schema.default === null ? "Automatic" : "", value: value ?? "", onchange: (event) => set(event.target.value.trim() || null) });
}

function angle(name, schema, value, set) {
  const [yaw, pitch] = String(value ?? "15,0").split(",").map(Number);
  if (!value) set("15,0");
  return anglePad({ yaw: yaw || 0, pitch: pitch || 0, onchange: (x, y) => set(`${x},${y}`) });
}

function model(names) {
  return (name, schema, value, set, id) => {
    const needs = schema.default === undefined;
    const known = [...new Set([...(typeof schema.default === "string" ? [schema.default] : []), ...names, ...(value ? [value] : [])])];
    if (needs && !value && known.length) set(known[0]);
    if (!known.length) return h("p", { class: "note" }, "No model for this is here yet: train one, or begin the studio with its file.");
    return h(
      "select",
      { id, value: value ?? (needs ? known[0] : (schema.default ?? "")), onchange: (event) => set(event.target.value || null) },
      needs || typeof schema.default === "string" ? null : h("option", { value: "" }, "Automatic"),
      known.map((one) => h("option", { value: one }, one === "auto" ? "Automatic" : one)),
    );
  };
}

function maker(name, schema, models) {
  if (name === "seed") return seed;
  if (name === "model") return model(models);
  if (name === "angle") return angle;
  if (name === "classes" && schema.type === "array") return classes;
  if (schema.enum) return choices;
  if (schema.type === "string" && RANGES[name]) return slidText;
  return { boolean: toggle, integer: number, number, array: list }[schema.type] ?? text;
}

function quickly(name, schema, control, set) {
  const values = (OFTEN[name] ?? []).filter((one) => (typeof one === "number") === (schema.type === "number" || schema.type === "integer" || name === "size"));
  if (!values.length || schema.enum || schema.type === "boolean") return null;
  const take = (one) => {
    const box = control.matches("input") ? control : control.querySelector("input");
    box.value = one;
    set(schema.type === "array" ? [one] : schema.type === "string" ? String(one) : one);
  };
  return h("div", { class: "chips" }, values.map((one) => h("button", { type: "button", class: "chip", onclick: () => take(one) }, name === "scale" ? `${one}×` : String(one))));
}

/** Whether a value of an address is what an option takes. */
function fits({ type, items, enum: words, minItems }, value) {
  if (words && type !== "array") return words.includes(value);
  if (type === "array") return Array.isArray(value) && value.length >= (minItems ?? 0) && value.every((one) => fits(items, one));
  if (type === "number" || type === "integer") return Number.isFinite(value) && (type === "number" || Number.isInteger(value));
  return typeof value === type;
}

/** Those of the values that a schema knows, and that are of its types: an address may hold anything. */
export const fitting = (schema, values) => Object.fromEntries(Object.entries(values).filter(([name, value]) => schema.properties?.[name] && fits(schema.properties[name], value)));

/** A row of the form: name, control, help. */
function field(name, schema, value, set, models) {
  const id = `option-${(numbered += 1)}`;
  const made = maker(name, schema, models);
  const control = made(name, schema, value, set, id);
  const title = schema.title ?? words(name);
  const help = schema.description && h("small", { class: "help", id: `${id}-help` }, schema.description);
  const target = control.matches("input, select") ? control : control.querySelector("input");
  if (help) target?.setAttribute("aria-describedby", `${id}-help`);
  const caption = made === angle ? h("span", { id: `${id}-label`, class: "caption" }, title) : h("label", { for: id, id: `${id}-label`, class: "caption" }, title);
  if (schema.description) caption.dataset.tip = schema.description;
  return h("div", { class: `field ${made === toggle ? "field-switch" : ""}`, "data-option": name }, caption, control, quickly(name, schema, control, set), help);
}

/**
 * The form of a verb's options. `skip` names those that other parts of the page make, `late` and `early` where others are;
 * `unused(model)` those that a model has no use for; `named(model)` what it calls its classes.
 */
export function optionForm({ schema, values, models = [], skip = [], late: waiting = [], early: first = [], unused = () => [], named = () => [], onchange }) {
  const now = { ...values };
  let element = null; // there is none while its rows are made
  const modelNow = () => now.model ?? schema.properties?.model?.default ?? models[0];
  const hide = () => {
    for (const row of element.querySelectorAll("[data-option]")) row.hidden = unused(modelNow()).includes(row.dataset.option);
    const known = named(modelNow()).map((one) => h("option", { value: one }, words(one)));
    for (const names of element.querySelectorAll("[data-names]")) {
      names.parentElement.hidden = !known.length;
      names.replaceChildren(...known.map((one) => one.cloneNode(true)));
    }
    element.querySelector("datalist")?.replaceChildren(...known);
  };
  /** Names of classes are those of a model: another one has others. */
  const forget = () => {
    for (const name of ["classes", "morph"]) {
      if (schema.properties?.[name]?.type !== "array") continue;
      delete now[name];
      for (const box of element.querySelectorAll(`[data-option=${name}] input`)) box.value = "";
    }
  };
  const set = (name, one) => (value) => {
    const usual = one.default ?? null;
    if (value === null || JSON.stringify(value) === JSON.stringify(usual)) delete now[name];
    else now[name] = value;
    if (name === "model" && element) {
      forget();
      hide();
    }
    onchange({ ...now });
  };
  const rows = Object.entries(schema.properties ?? {}).filter(([name]) => !skip.includes(name));
  const required = new Set(schema.required ?? []);
  const row = ([name, one]) => field(name, one, name in now ? now[name] : one.default, set(name, one), models);
  const isLate = ([name, { type }]) => (LATE.has(name) || waiting.includes(name) || (name === "classes" && type === "boolean")) && !required.has(name) && !first.includes(name);
  const late = rows.filter(isLate);
  const early = rows.filter((one) => !isLate(one));
  element = h(
    "div",
    { class: "form" },
    h("datalist", { id: NAMES }),
    early.map(row),
    late.length ? h("details", { class: "more", open: late.some(([name]) => name in now) }, h("summary", null, icon("chevron-right"), "More settings"), late.map(row)) : null,
  );
  hide();
  return { element, values: () => ({ ...now }) };
}

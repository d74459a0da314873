// Curves of losses, drawn as SVG: a line for each, the value under the pointer, a table for screen readers.

import { h, s, words } from "../dom.js";

const WIDTH = 440;
const HEIGHT = 176;
const EDGE = { left: 48, right: 8, top: 8, bottom: 24 };

function ticks(low, high, number) {
  const raw = (high - low) / number || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= raw);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}

const short = (value) => (value === 0 ? "0" : Math.abs(value) >= 10000 || Math.abs(value) < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(3))));

/** Outliers of the first steps shall not press all else flat. */
function span(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[0];
  const high = sorted.length > 20 ? sorted[Math.floor(sorted.length * 0.98)] : sorted.at(-1);
  return low === high ? [low - Math.abs(low || 1) * 0.1, high + Math.abs(high || 1) * 0.1] : [low, high];
}

/** points: [[step, value], ...] of one name. */
export function curve(name, points) {
  const clean = points.filter(([step, value]) => Number.isFinite(step) && Number.isFinite(value));
  const figure = h("figure", { class: "curve" });
  const last = clean.at(-1);
  const value = h("output", null, last ? short(last[1]) : "");
  figure.append(h("figcaption", null, h("b", null, words(name).replace("/", ": ")), value));
  if (clean.length < 2) {
    figure.append(h("p", { class: "quiet" }, "The curve begins with the second value."));
    return figure;
  }
  const [low, high] = span(clean.map(([, one]) => one));
  const first = clean[0][0];
  const end = last[0];
  const x = (step) => EDGE.left + ((step - first) / (end - first || 1)) * (WIDTH - EDGE.left - EDGE.right);
  const y = (one) => EDGE.top + (1 - (Math.min(high, Math.max(low, one)) - low) / (high - low)) * (HEIGHT - EDGE.top - EDGE.bottom);
  const picture = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${words(name)}: from ${short(clean[0][1])} to ${short(last[1])} after ${end} steps` });
  for (const tick of ticks(low, high, 4)) {
    picture.append(s("line", { x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(tick), y2: y(tick), class: "grid" }));
    picture.append(s("text", { x: EDGE.left - 8, y: y(tick) + 4, "text-anchor": "end" }, short(tick)));
  }
  for (const tick of ticks(first, end, 6)) picture.append(s("text", { x: x(tick), y: HEIGHT - 6, "text-anchor": "middle" }, String(tick)));
  const path = clean.map(([step, one], place) => `${place ? "L" : "M"}${x(step).toFixed(1)} ${y(one).toFixed(1)}`).join("");
  picture.append(s("path", { d: path, class: "line" }));
  const dot = s("circle", { r: 4, class: "dot", cx: x(end), cy: y(last[1]) });
  picture.append(dot);
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * WIDTH;
    const near = clean.reduce((best, one) => (Math.abs(x(one[0]) - at) < Math.abs(x(best[0]) - at) ? one : best));
    dot.setAttribute("cx", x(near[0]));
    dot.setAttribute("cy", y(near[1]));
    value.textContent = `${short(near[1])} at step ${near[0]}`;
  });
  picture.addEventListener("pointerleave", () => {
    dot.setAttribute("cx", x(end));
    dot.setAttribute("cy", y(last[1]));
    value.textContent = short(last[1]);
  });
  figure.append(picture);
  return figure;
}

// Elements made by hand; nothing here ever reads markup from text.

const SVG = "http://www.w3.org/2000/svg";

/** An element; names that begin with "on" are listeners, others attributes, or properties where they are no text. */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  const { value, ...others } = props ?? {};
  for (const [name, given] of Object.entries(others)) {
    if (given === null || given === undefined || given === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), given);
    else if (name === "class") element.className = given;
    else if (given === true) element.setAttribute(name, "");
    else element.setAttribute(name, String(given));
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  if (value !== undefined && value !== null) element.value = value; // a select must hold its options first
  return element;
}

/** An element of an SVG picture. */
export function s(tag, props, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, given] of Object.entries(props ?? {})) element.setAttribute(name, String(given));
  element.append(...children);
  return element;
}

/** A picture of the sprite; it says nothing to a screen reader. */
export function icon(name) {
  const element = s("svg", { class: "icon", "aria-hidden": "true", focusable: "false" });
  element.append(s("use", { href: `/page/icons.svg#${name}` }));
  return element;
}

/** A button that shows a picture alone: its label is for screen readers and for the tooltip. */
export function iconButton(name, label, onclick, props = {}) {
  const { key, class: more = "", ...others } = props;
  return h(
    "button",
    { type: "button", class: `icon-button ${more}`, "aria-label": label, "data-tip": label, "data-key": key, "aria-keyshortcuts": key, onclick, ...others },
    icon(name),
  );
}

/** A button with words, and a picture before them. */
export function button(label, onclick, props = {}) {
  const { icon: name, class: more = "", ...others } = props;
  return h("button", { type: "button", class: `button ${more}`, onclick, ...others }, name && icon(name), h("span", null, label));
}

/** Say something to those who do not see the page. */
export function say(text) {
  document.getElementById("says").textContent = text;
}

/** "3 s", "2 min 5 s", "1 h 4 min". */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (whole < 60) return seconds < 10 ? `${seconds.toFixed(1)} s` : `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** "stylize-video" becomes "Stylize video". */
export function words(name) {
  const spaced = String(name).replaceAll(/[-_]/g, " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

export const isTyping = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches("select, textarea, input:not([type=range], [type=checkbox], [type=radio], [type=color], [type=file])"));

// A painter under the hand: pointer, keys, tools.

import { h, iconButton, isTyping, say } from "../dom.js";

export const TOOLS = [
  ["brush", "brush", "Brush", "B"],
  ["line", "slash", "Line", "L"],
  ["rectangle", "square", "Rectangle", "R"],
  ["fill", "paint-bucket", "Fill", "G"],
  ["eraser", "eraser", "Eraser", "E"],
];

export class Easel extends EventTarget {
  #point = { x: 0, y: 0 };
  #hands = new Map();

  /** label: what is painted with; also "pick" takes it from under the pointer. */
  constructor(painter, { label = 1, size = 16, name = "Drawing", signal, tools = TOOLS }) {
    super();
    Object.assign(this, { painter, label, size, signal, tools, tool: "brush" });
    this.ring = h("div", { class: "ring", hidden: true });
    const canvas = painter.canvas;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", `${name}: arrow keys move, space paints`);
    this.element = h("div", { class: "easel" }, canvas, this.ring);
    this.#listen(canvas);
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
  }

  /** The column of tools. */
  column(...more) {
    this.buttons = new Map(
      this.tools.map(([tool, picture, label, key]) => [tool, iconButton(picture, label, () => this.take(tool), { key, "aria-pressed": "false" })]),
    );
    this.undoButton = iconButton("undo-2", "Undo", () => this.undo(), { key: "Ctrl+Z" });
    this.redoButton = iconButton("redo-2", "Redo", () => this.redo(), { key: "Ctrl+Y" });
    this.clearButton = iconButton("trash-2", "Clear", () => this.clear());
    this.take(this.tool);
    this.#buttons();
    const rule = () => h("span", { class: "rule" });
    return h(
      "div",
      { class: "tools", role: "toolbar", "aria-label": "Tools", "data-tips": "beside" },
      [...this.buttons.values()],
      rule(),
      this.undoButton,
      this.redoButton,
      this.clearButton,
      more.length ? [rule(), ...more] : null,
    );
  }

  take(tool) {
    this.tool = tool;
    for (const [name, one] of this.buttons ?? []) one.setAttribute("aria-pressed", String(name === tool));
  }

  /** After the drawing was replaced by other means. */
  changed(over = true) {
    this.#buttons();
    this.dispatchEvent(new CustomEvent("change", { detail: { over } }));
  }

  undo() {
    this.painter.undo();
    this.changed();
  }

  redo() {
    this.painter.redo();
    this.changed();
  }

  clear() {
    this.painter.clear();
    this.changed();
  }

  resizeBrush(size) {
    this.size = Math.round(Math.min(256, Math.max(1, size)));
    this.dispatchEvent(new Event("size"));
  }

  #buttons() {
    if (!this.undoButton) return;
    this.undoButton.disabled = !this.painter.canUndo;
    this.redoButton.disabled = !this.painter.canRedo;
  }

  #at(event) {
    const box = this.painter.canvas.getBoundingClientRect();
    return {
      x: Math.floor(((event.clientX - box.left) * this.painter.width) / box.width),
      y: Math.floor(((event.clientY - box.top) * this.painter.height) / box.height),
    };
  }

  #begin(at) {
    const erases = this.tool === "eraser";
    this.painter.begin(erases ? "brush" : this.tool, at, this.size, erases ? this.painter.ground : this.label);
    this.changed(false);
  }

  #end() {
    this.painter.end();
    this.changed(true);
  }

  #listen(canvas) {
    const { signal } = this;
    const on = (name, then) => canvas.addEventListener(name, then, { signal });
    on("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      this.#hands.set(event.pointerId, true);
      if (event.altKey) return this.#pick(this.#at(event));
      this.#begin(this.#at(event));
    });
    on("pointermove", (event) => {
      this.#point = this.#at(event);
      this.#showRing(event.pointerType !== "touch");
      if (!this.#hands.has(event.pointerId) || event.altKey) return;
      for (const one of event.getCoalescedEvents?.() ?? [event]) this.painter.move(this.#at(one));
      this.changed(false);
    });
    const end = (event) => this.#hands.delete(event.pointerId) && this.#end();
    on("pointerup", end);
    on("pointercancel", end);
    on("pointerleave", () => this.#showRing(false));
    on("blur", () => this.#showRing(false));
    on("contextmenu", (event) => {
      event.preventDefault();
      this.#pick(this.#at(event));
    });
  }

  #pick({ x, y }) {
    const label = this.painter.labels[y * this.painter.width + x];
    if (label === undefined) return;
    this.label = label;
    this.dispatchEvent(new Event("label"));
  }

  #showRing(shown) {
    this.ring.hidden = !shown || this.tool === "fill";
    if (this.ring.hidden) return;
    const canvas = this.painter.canvas;
    const scale = canvas.clientWidth / this.painter.width;
    const across = Math.max(3, (this.tool === "rectangle" ? 1 : this.size) * scale);
    Object.assign(this.ring.style, {
      width: `${across}px`,
      height: `${across}px`,
      left: `${(this.#point.x + 0.5) * scale - across / 2}px`,
      top: `${(this.#point.y + 0.5) * scale - across / 2}px`,
    });
  }

  #key(event) {
    if (isTyping(event.target) || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const control = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    const turn = control ? { z: () => (event.shiftKey ? this.redo() : this.undo()), y: () => this.redo() }[key] : this.#plain(event, key);
    if (!turn) return;
    event.preventDefault();
    turn();
  }

  #plain(event, key) {
    if (event.altKey) return null;
    const tool = this.tools.find(([, , , one]) => one.toLowerCase() === key);
    if (tool) return () => this.take(tool[0]);
    if (key === "[") return () => this.resizeBrush(this.size / 1.25 - 0.5);
    if (key === "]") return () => this.resizeBrush(this.size * 1.25 + 0.5);
    if (document.activeElement !== this.painter.canvas) return null;
    const step = event.shiftKey ? 1 : Math.max(1, Math.round(this.size / 2));
    const way = { arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1] }[key];
    if (way) return () => this.#walk(way[0] * step, way[1] * step);
    return key === " " || key === "enter" ? () => this.#press() : null;
  }

  #walk(x, y) {
    const { width, height } = this.painter;
    this.#point = { x: Math.min(width - 1, Math.max(0, this.#point.x + x)), y: Math.min(height - 1, Math.max(0, this.#point.y + y)) };
    this.#showRing(true);
    if (this.held) this.painter.move(this.#point);
  }

  /** A line and a rectangle take two presses: their two ends. */
  #press() {
    const two = this.tool === "line" || this.tool === "rectangle";
    if (!this.held) this.#begin(this.#point);
    this.held = two && !this.held;
    if (this.held) return say("Move to the other end and press space again");
    this.#end();
    return say(`Painted at ${this.#point.x}, ${this.#point.y}`);
  }
}

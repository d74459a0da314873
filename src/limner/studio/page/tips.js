// One tooltip for all that has data-tip, for the mouse and for the keyboard.

import { h } from "./dom.js";

const WAIT = 350;
const QUIET = 1500; // milliseconds after a press, when the hand is still where it was

function place(tip, target) {
  const at = target.getBoundingClientRect();
  const size = tip.getBoundingClientRect();
  const beside = target.closest("[data-tips=beside]");
  let left = beside ? at.right + 8 : at.left + at.width / 2 - size.width / 2;
  let top = beside ? at.top + at.height / 2 - size.height / 2 : at.bottom + 8;
  if (!beside && top + size.height > innerHeight - 8) top = at.top - size.height - 8;
  left = Math.min(Math.max(8, left), innerWidth - size.width - 8);
  top = Math.min(Math.max(8, top), innerHeight - size.height - 8);
  tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
}

export function startTips() {
  const tip = document.getElementById("tip");
  let timer = 0;
  let pressed = -QUIET;
  const hide = () => {
    clearTimeout(timer);
    tip.hidden = true;
  };
  const show = (target) => {
    tip.replaceChildren(target.dataset.tip, target.dataset.key ? h("kbd", null, target.dataset.key) : "");
    tip.hidden = false;
    place(tip, target);
  };
  const soon = (event) => {
    const target = event.target instanceof Element ? event.target.closest("[data-tip]") : null;
    hide();
    if (event.type !== "focusin" && performance.now() - pressed < QUIET) return;
    if (target && (event.type !== "focusin" || target.matches(":focus-visible"))) {
      timer = setTimeout(() => target.isConnected && show(target), WAIT);
    }
  };
  document.addEventListener("pointerover", (event) => event.pointerType !== "touch" && soon(event));
  document.addEventListener("focusin", soon);
  document.addEventListener("pointerdown", () => (pressed = performance.now()), { passive: true });
  for (const name of ["pointerdown", "focusout", "keydown", "wheel"]) document.addEventListener(name, hide, { passive: true });
}

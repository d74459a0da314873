// The key, where the studio was begun with one: asked for once, then kept by the browser in a cookie.

import { button, h, icon } from "./dom.js";

let asking = null;

/** Ask until the key is right; whatever waits for it waits for the same dialog. */
export function askKey() {
  asking ??= new Promise((resolve) => open(resolve)).finally(() => (asking = null));
  return asking;
}

/** Load pictures again that were refused without the key; those that are there stay. */
function showMissed() {
  for (const image of document.querySelectorAll("img")) if (image.complete && !image.naturalWidth && image.src) image.src = image.src;
}

function open(done) {
  const box = h("input", { id: "key", type: "password", autocomplete: "current-password", required: true, "aria-describedby": "key-hint", spellcheck: "false" });
  const wrong = h("p", { class: "error", role: "alert" });
  const say = (text) => wrong.replaceChildren(icon("circle-alert"), h("span", null, text));
  const send = async (event) => {
    event.preventDefault();
    wrong.replaceChildren();
    try {
      const answer = await fetch("/v1/key", { method: "POST", headers: { Authorization: `Bearer ${box.value.trim()}` } });
      if (!answer.ok) return say(answer.status === 401 ? "That is not the key of this studio." : `The studio refused this (${answer.status}).`);
    } catch (error) {
      return say(error instanceof TypeError && /header|ISO/i.test(error.message) ? "A key has no such letters." : "The studio does not answer: see whether it still runs.");
    }
    dialog.remove();
    showMissed();
    return done();
  };
  const user = h("input", { type: "text", value: "studio", autocomplete: "username", hidden: true, readonly: true }); // for what keeps passwords
  const hint = h("p", { class: "quiet", id: "key-hint" }, "It was chosen where the studio was started, by --key or LIMNER_KEY.");
  const form = h("form", { onsubmit: send }, h("h2", null, "This studio asks for its key"), hint, user, h("label", { for: "key", class: "caption" }, "Key"), box, wrong, button("Open", null, { class: "primary", type: "submit" }));
  const dialog = h("dialog", { class: "key-dialog", "aria-label": "Key of the studio", onclose: () => reopen() }, form);
  const reopen = () => {
    if (!dialog.isConnected) return;
    dialog.showModal(); // Escape closes it, and all waits for the key
    box.focus();
  };
  document.body.append(dialog);
  reopen();
}

// Two angles by one hand: where the eyes shall look.

import { h, s } from "../dom.js";

const YAW = 30;
const PITCH = 20;
const round = (number) => Math.round(number * 2) / 2;
const between = (number, most) => Math.min(most, Math.max(-most, number));

export function anglePad({ yaw, pitch, onchange }) {
  const knob = s("circle", { r: 2.5, class: "pad-knob" });
  const ray = s("line", { x1: 0, y1: 0, class: "pad-ray" });
  const pad = s(
    "svg",
    { viewBox: `${-YAW - 4} ${-PITCH - 4} ${2 * YAW + 8} ${2 * PITCH + 8}`, class: "pad", "aria-hidden": "true" },
    s("ellipse", { rx: YAW, ry: PITCH, class: "pad-line" }),
    s("ellipse", { rx: YAW / 2, ry: PITCH / 2, class: "pad-line" }),
    s("line", { x1: -YAW, x2: YAW, y1: 0, y2: 0, class: "pad-line" }),
    s("line", { x1: 0, x2: 0, y1: -PITCH, y2: PITCH, class: "pad-line" }),
    ray,
    knob,
  );
  const box = (label, most) => h("input", { type: "number", min: -most, max: most, step: 0.5, "aria-label": label });
  const sideways = box("Degrees to the right of the photo", YAW);
  const upwards = box("Degrees upwards", PITCH);
  const show = () => {
    knob.setAttribute("cx", yaw);
    knob.setAttribute("cy", -pitch);
    ray.setAttribute("x2", yaw);
    ray.setAttribute("y2", -pitch);
    sideways.value = yaw;
    upwards.value = pitch;
  };
  const turn = (x, y) => {
    yaw = between(round(x), YAW);
    pitch = between(round(y), PITCH);
    show();
    onchange(yaw, pitch);
  };
  const read = () => turn(sideways.valueAsNumber || 0, upwards.valueAsNumber || 0);
  sideways.addEventListener("change", read);
  upwards.addEventListener("change", read);
  const follow = (event) => {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(pad.getScreenCTM().inverse());
    turn(place.x, -place.y);
  };
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    follow(event);
  });
  pad.addEventListener("pointermove", (event) => pad.hasPointerCapture(event.pointerId) && follow(event));
  pad.addEventListener("dblclick", () => turn(0, 0));
  show();
  return h("div", { class: "pad-box" }, pad, h("div", { class: "pair" }, h("label", null, "Right", sideways), h("label", null, "Up", upwards)));
}

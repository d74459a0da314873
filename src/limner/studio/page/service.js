// The REST service, as other programs use it too.

import { askKey } from "./key.js";

export class ServiceError extends Error {
  constructor(text, status = 0) {
    super(text);
    this.status = status;
  }
}

async function answer(path, request = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...request });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError("The studio does not answer: see whether `limner studio` still runs, then try again.");
  }
  if (response.ok) return response;
  if (response.status === 401) {
    await askKey();
    return answer(path, request);
  }
  let text = "";
  try {
    text = (await response.json()).error ?? "";
  } catch {
    // no JSON: the status must do
  }
  if (response.status === 429) {
    const wait = response.headers.get("Retry-After");
    text ||= `The queue is full: try again ${wait ? `in ${wait} s` : "soon"}.`;
  }
  throw new ServiceError(text || `The studio refused this (${response.status}): try again.`, response.status);
}

const json = async (path, request) => (await answer(path, request)).json();

function post(body) {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) };
}

export const verbs = () => json("/v1/verbs");
export const models = () => json("/v1/models");
export const styles = () => json("/v1/styles");

export const jobs = (before) => json(`/v1/jobs${before ? `?before=${encodeURIComponent(before)}` : ""}`);
export const job = (id) => json(`/v1/jobs/${encodeURIComponent(id)}`);
export const cancel = (id) => json(`/v1/jobs/${encodeURIComponent(id)}/cancel`, post());
export const again = (id) => json(`/v1/jobs/${encodeURIComponent(id)}/again`, post());
export const remove = (id) => answer(`/v1/jobs/${encodeURIComponent(id)}`, { method: "DELETE" });
export const zipPath = (ids) => `/v1/jobs.zip?${new URLSearchParams(ids.map((id) => ["id", id]))}`;
export const eventsPath = (id) => `/v1/jobs/${encodeURIComponent(id)}/events`;

/** Begin a job. files: [[field, Blob, file name], ...]. */
export function begin(verb, files, options) {
  const form = new FormData();
  for (const [field, blob, name] of files) form.append(field, blob, name);
  form.append("options", JSON.stringify(options));
  return json(`/v1/${encodeURIComponent(verb)}`, { method: "POST", body: form });
}

/** The picture that a model makes of a drawing, at once. */
export async function draw(form, session, signal) {
  const response = await answer("/v1/draw", { method: "POST", body: form, headers: { "X-Session": session }, signal });
  return response.blob();
}

/** The picture of a latent, at once, with the first numbers of it. */
export async function sample(order, session, signal) {
  const { headers, ...request } = post(order);
  const found = await json("/v1/sample", { ...request, headers: { ...headers, "X-Session": session }, signal });
  return { ...found, url: `data:image/png;base64,${found.png}` };
}

export async function text(path) {
  return (await answer(path)).text();
}

export async function blob(path) {
  return (await answer(path)).blob();
}

export const systems = () => json("/v1/systems");
export const trainSchema = () => json("/v1/train/schema");
export const check = (body) => json("/v1/check", post(body));
export const train = (body) => json("/v1/train", post(body));
export const trainings = () => json("/v1/train");
export const training = (id) => json(`/v1/train/${encodeURIComponent(id)}`);
export const stopTraining = (id) => json(`/v1/train/${encodeURIComponent(id)}/stop`, post());
export const resumeTraining = (id) => json(`/v1/train/${encodeURIComponent(id)}/resume`, post());

// Where the page is and with which settings: all of it in the address, so that a reload keeps it.

/** {page: "stylize", params: URLSearchParams} of "#/stylize?seed=3". */
export function current() {
  const [page, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { page: named(page || "draw"), params: new URLSearchParams(query ?? "") };
}

function named(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // half of a character: there is no such page
  }
}

export function href(page, params = {}) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  const text = query.toString();
  return `#/${encodeURIComponent(page)}${text ? `?${text}` : ""}`;
}

export function go(page, params) {
  location.hash = href(page, params);
}

/** Change some settings of this page without a new entry in the history; null takes one away. */
export function keep(changes) {
  const { page, params } = current();
  const next = { ...Object.fromEntries(params), ...changes };
  history.replaceState(null, "", href(page, next));
}

/** A whole number of at least 0 from a parameter; 0 where it holds none. */
export function whole(params, name) {
  const value = Number(params.get(name));
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/** A plain object from a parameter that holds JSON; {} where it holds none. */
export function settings(params, name = "options") {
  try {
    const value = JSON.parse(params.get(name) ?? "{}");
    return value && typeof value === "object" && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}

// A table of a CSV file.

import { h, words } from "../dom.js";

const MOST = 200; // rows that are shown

function cells(line) {
  const found = [];
  for (const [, quoted, plain] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) found.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
  return found;
}

const tidy = (text) => (/^-?\d+\.\d{3,}$/.test(text) ? Number(text).toFixed(2) : text);

export function table(text, caption) {
  const [head, ...rows] = text.trim().split(/\r?\n/).map(cells);
  return h(
    "div",
    { class: "table", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      null,
      h("caption", null, `${caption}: ${rows.length}${rows.length > MOST ? `, the first ${MOST}` : ""}`),
      h("thead", null, h("tr", null, head.map((one) => h("th", { scope: "col" }, words(one))))),
      h("tbody", null, rows.slice(0, MOST).map((row) => h("tr", null, row.map((one) => h("td", null, tidy(one)))))),
    ),
  );
}

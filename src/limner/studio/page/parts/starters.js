// Drawings to begin with, in the colours of models whose classes they know.

const STARTERS = [
  {
    needs: ["facade", "window", "door"],
    // class, then x, y, width and height as shares of the sides
    parts: () => {
      const parts = [["facade", 0.06, 0.04, 0.88, 0.96], ["cornice", 0.06, 0.04, 0.88, 0.05], ["molding", 0.06, 0.7, 0.88, 0.03]];
      for (const y of [0.14, 0.33, 0.52]) {
        for (const x of [0.13, 0.34, 0.55, 0.76]) parts.push(["window", x, y, 0.11, 0.12], ["sill", x - 0.01, y + 0.12, 0.13, 0.02]);
      }
      parts.push(["balcony", 0.32, 0.43, 0.36, 0.04], ["door", 0.44, 0.78, 0.12, 0.22], ["shop", 0.1, 0.78, 0.28, 0.18], ["shop", 0.62, 0.78, 0.28, 0.18]);
      return parts;
    },
  },
  {
    needs: ["road", "sky"],
    parts: () => [
      ["sky", 0, 0, 1, 0.5], ["building", 0, 0.12, 0.3, 0.48], ["building", 0.72, 0.05, 0.28, 0.55], ["tree", 0.3, 0.25, 0.14, 0.3], ["vegetation", 0.3, 0.25, 0.14, 0.3],
      ["sidewalk", 0, 0.58, 1, 0.42], ["pavement", 0, 0.58, 1, 0.42], ["road", 0.14, 0.58, 0.72, 0.42], ["car", 0.4, 0.55, 0.16, 0.12], ["pole", 0.66, 0.15, 0.01, 0.45],
    ],
  },
]; // prettier-ignore

/** The labels of a drawing to begin with, or null where none fits the palette. */
export function starter(palette, width, height, ground) {
  const number = new Map(palette.map(({ name }, label) => [name.toLowerCase(), label]));
  const found = STARTERS.find(({ needs }) => needs.every((name) => number.has(name)));
  if (!found) return null;
  const labels = new Uint8Array(width * height).fill(ground);
  for (const [name, x, y, across, down] of found.parts()) {
    if (!number.has(name)) continue;
    for (let row = Math.round(y * height); row < Math.min(height, Math.round((y + down) * height)); row += 1) {
      labels.fill(number.get(name), row * width + Math.round(x * width), row * width + Math.min(width, Math.round((x + across) * width)));
    }
  }
  return labels;
}

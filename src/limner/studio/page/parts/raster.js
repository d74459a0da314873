// Shapes on a grid of labels. No edge is smoothed: a mixed colour is no class.

/** A rectangle that holds both; null is empty. */
export function union(a, b) {
  if (!a || !b) return a ?? b;
  return { x0: Math.min(a.x0, b.x0), y0: Math.min(a.y0, b.y0), x1: Math.max(a.x1, b.x1), y1: Math.max(a.y1, b.y1) };
}

function clipped(grid, x0, y0, x1, y1) {
  const box = { x0: Math.max(0, x0), y0: Math.max(0, y0), x1: Math.min(grid.width, x1), y1: Math.min(grid.height, y1) };
  return box.x0 < box.x1 && box.y0 < box.y1 ? box : null;
}

/** A full rectangle between two corners, both in it. */
export function rectangle(grid, from, to, label) {
  const box = clipped(grid, Math.min(from.x, to.x), Math.min(from.y, to.y), Math.max(from.x, to.x) + 1, Math.max(from.y, to.y) + 1);
  if (!box) return null;
  for (let y = box.y0; y < box.y1; y += 1) grid.labels.fill(label, y * grid.width + box.x0, y * grid.width + box.x1);
  return box;
}

/** A round brush, `size` pixels across. */
export function disc(grid, at, size, label) {
  const radius = size / 2;
  const low = Math.floor((size - 1) / 2);
  const box = clipped(grid, at.x - low, at.y - low, at.x - low + size, at.y - low + size);
  if (!box) return null;
  const middleX = at.x - low + radius;
  const middleY = at.y - low + radius;
  for (let y = box.y0; y < box.y1; y += 1) {
    const rise = y + 0.5 - middleY;
    const half = Math.sqrt(Math.max(0, radius * radius - rise * rise));
    const x0 = Math.max(box.x0, Math.ceil(middleX - half - 0.5));
    const x1 = Math.min(box.x1, Math.floor(middleX + half - 0.5) + 1);
    if (x0 < x1) grid.labels.fill(label, y * grid.width + x0, y * grid.width + x1);
  }
  return box;
}

/** A stroke of the brush from one point to another. */
export function line(grid, from, to, size, label) {
  const steps = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y), 1);
  let box = null;
  for (let step = 0; step <= steps; step += 1) {
    const at = { x: Math.round(from.x + ((to.x - from.x) * step) / steps), y: Math.round(from.y + ((to.y - from.y) * step) / steps) };
    box = union(box, disc(grid, at, size, label));
  }
  return box;
}

/** All that is connected with a point and of its label. */
export function flood(grid, at, label) {
  const { labels, width, height } = grid;
  if (at.x < 0 || at.y < 0 || at.x >= width || at.y >= height) return null;
  const old = labels[at.y * width + at.x];
  if (old === label) return null;
  let box = null;
  const seeds = [[at.x, at.y]];
  while (seeds.length) {
    const [x, y] = seeds.pop();
    const row = y * width;
    if (labels[row + x] !== old) continue;
    let left = x;
    let right = x + 1;
    while (left > 0 && labels[row + left - 1] === old) left -= 1;
    while (right < width && labels[row + right] === old) right += 1;
    labels.fill(label, row + left, row + right);
    box = union(box, { x0: left, y0: y, x1: right, y1: y + 1 });
    for (const next of [y - 1, y + 1]) {
      if (next < 0 || next >= height) continue;
      for (let i = left; i < right; i += 1) {
        if (labels[next * width + i] === old && (i === left || labels[next * width + i - 1] !== old)) seeds.push([i, next]);
      }
    }
  }
  return box;
}

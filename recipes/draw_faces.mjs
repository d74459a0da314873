// Draws the faces that `recipes/pix2pix.py faces` learns from: node draw_faces.mjs FOLDER
// Needs: npm install @dicebear/core@9.4.3 @dicebear/collection@9.4.3 @resvg/resvg-js
import { createAvatar } from "@dicebear/core"
import * as styles from "@dicebear/collection"
import { Resvg } from "@resvg/resvg-js"
import { mkdirSync, writeFileSync } from "node:fs"

const SIDE = 256
const EACH = 600

const folder = process.argv[2]
mkdirSync(folder, { recursive: true })
for (const name of ["openPeeps", "personas", "adventurer", "micah"])
  for (let number = 0; number < EACH; number++) {
    const svg = createAvatar(styles[name], { seed: `${name}-${number}`, backgroundColor: ["ffffff"] }).toString()
    const drawn = new Resvg(svg, { fitTo: { mode: "width", value: SIDE }, background: "white" }).render()
    writeFileSync(`${folder}/${name}-${String(number).padStart(4, "0")}.png`, drawn.asPng())
  }

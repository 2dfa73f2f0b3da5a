// Bundles src/ into the Python package. `--check` writes nothing and says what is stale.
//
// The manifest holds a digest of everything that the bundles are made of, which Python works out in
// the same way (tests/widgets/test_bundle.py): so a stale bundle is noticed without Node.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const HERE = import.meta.dirname;
const ASSETS = join(HERE, "..", "explorer", "widgets", "assets");
const BANNER =
  "attention-explorer, MIT licence. Made of frontend/src by `make frontend`: edit there.";
const MANIFEST = "manifest.json";
const MADE_OF = ["src", "build.mjs", "package-lock.json", "package.json", "tsconfig.json"];

const BUNDLES = {
  "widget.js": "src/widget.ts",
  "page.js": "src/page.ts",
  "web.js": "src/web/web.ts",
  "explorer.css": "src/styles/explorer.css",
  "plot.css": "src/styles/plot.css",
  "web.css": "src/styles/web.css",
};

function files(name) {
  if (name.includes(".")) return [name];
  return readdirSync(join(HERE, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(HERE.length + 1))
    .map((path) => path.replaceAll("\\", "/"));
}

function digest(parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex");
}

const text = (path) => readFileSync(path, "utf8").replaceAll("\r\n", "\n");

function sourcesDigest() {
  const paths = MADE_OF.flatMap(files).sort();
  return digest(paths.flatMap((path) => [path, text(join(HERE, path))]));
}

async function bundled(name, entry) {
  const { outputFiles } = await build({
    entryPoints: [join(HERE, entry)],
    absWorkingDir: HERE,
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "inline",
    banner: { js: `// ${BANNER}`, css: `/* ${BANNER} */` },
    // It comes with every widget, the others once a page: those can be read.
    minify: name === "widget.js",
  });
  return outputFiles[0].text;
}

const outputs = { "web.html": text(join(HERE, "src/web/web.html")) };
for (const [name, entry] of Object.entries(BUNDLES)) outputs[name] = await bundled(name, entry);
const manifest = {
  sources: sourcesDigest(),
  bundles: Object.fromEntries(
    Object.entries(outputs).map(([name, made]) => [name, digest([made])]),
  ),
};
outputs[MANIFEST] = `${JSON.stringify(manifest, null, 2)}\n`;

if (process.argv.includes("--check")) {
  const known = new Set(readdirSync(ASSETS));
  const stale = Object.entries(outputs).filter(
    ([name, made]) => !known.has(name) || text(join(ASSETS, name)) !== made,
  );
  if (stale.length) {
    console.error(
      `Stale: ${stale.map(([name]) => name).join(", ")}. Run make frontend and commit.`,
    );
    process.exit(1);
  }
  console.log("The bundles are up to date.");
} else {
  for (const [name, made] of Object.entries(outputs)) writeFileSync(join(ASSETS, name), made);
  const sizes = Object.entries(outputs).map(([name, made]) => `${name} ${made.length}`);
  console.log(sizes.join(", "));
}

#!/bin/sh
# bundle.sh <folder>: writes the commands and the pipelines of the project, compiled, as they lie in it:
# <folder>/shared/cli/inlet.mjs and <folder>/functions/<name>/pipeline.mjs. The folder's path is absolute; it needs `npm ci`.
set -eu
cd "$(dirname "$0")/../.."

# Packages of production stay packages, installed beside: the Kafka client has WebAssembly and native parts that it looks for in
# its own folders, and scanners of images see their versions. What else the commands are written with is built in.
externals=$(node -p "Object.keys(require('./package.json').dependencies).map((name) => '--external:' + name).join(' ')")

# Chunks lie beside the commands, because these look for the pipelines from where they are. DuckDB, for `query`, stays out.
# CommonJS that is built in asks for `require`, which modules do not have.
# shellcheck disable=SC2086
exec node_modules/.bin/esbuild shared/cli/inlet.ts functions/*/pipeline.ts \
  --bundle --splitting --platform=node --target=node24 --format=esm --log-level=warning \
  --outbase=. --outdir="$1" --out-extension:.js=.mjs --chunk-names='shared/cli/[name]-[hash]' \
  --banner:js="import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);" \
  --external:@duckdb/node-api $externals

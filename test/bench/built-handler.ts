import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { type BuildOptions, build } from 'esbuild'
import plugins from '../../infra/bundle/plugins.ts'

const ROOT = path.join(import.meta.dirname, '../..')
const STARTS = 7

/** Runs in a process of its own: the CPU that importing the handler takes, in milliseconds. */
const MEASURE = `
const before = process.cpuUsage()
require(process.argv[1])
const { user, system } = process.cpuUsage(before)
process.stdout.write(String((user + system) / 1000))
`

/** A function's bundle as it is deployed: its size, and what a cold start pays to import it (median of several). */
export async function builtHandler(name: string): Promise<{ bytes: number; importMs: number }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'inlet-handler-'))
  try {
    const outfile = path.join(folder, 'handler.cjs')
    const { bytes } = await bundleHandler(name, outfile)
    const times = Array.from({ length: STARTS }, () => {
      const { stdout } = spawnSync(process.execPath, ['-e', MEASURE, outfile], { encoding: 'utf8' })
      return Number(stdout)
    }).sort((a, b) => a - b)
    return { bytes, importMs: times[STARTS >> 1] ?? Number.NaN }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A bundle, and the bytes in it of each module that there is something of. */
export interface Bundle {
  readonly bytes: number
  readonly modules: ReadonlyMap<string, number>
}

/** Bundles a function as it is deployed. @param name of its folder; or the file of a handler, below the project's root */
export async function bundleHandler(name: string, outfile: string): Promise<Bundle> {
  const entry = path.join(ROOT, name.endsWith('.ts') ? name : `functions/${name}/handler.ts`)
  const options: BuildOptions = { ...deployedOptions(), entryPoints: [entry], outfile, absWorkingDir: ROOT }
  const { metafile } = await build({ ...options, logLevel: 'silent', metafile: true })
  const [output] = Object.values(metafile?.outputs ?? {})
  const inputs = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  return { bytes: output?.bytes ?? 0, modules: new Map(inputs.map(([module, of]) => [module, of.bytesInOutput])) }
}

/** What is in a bundle by package, and by folder of this project, the largest first. */
export function bundleParts({ modules }: Bundle): readonly (readonly [part: string, bytes: number])[] {
  const parts = new Map<string, number>()
  for (const [module, bytes] of modules) {
    const part = partOf(module)
    parts.set(part, (parts.get(part) ?? 0) + bytes)
  }
  return [...parts].sort(([, a], [, b]) => b - a)
}

/** `node_modules/@aws-sdk/core/dist-es/index.js` → `@aws-sdk/core`; `shared/lake/marks.ts` → `shared/lake`. */
function partOf(module: string): string {
  const [, inPackage] = /^.*node_modules\/(?<path>.+)$/.exec(module) ?? []
  const names = (inPackage ?? module).split('/')
  return names.slice(0, inPackage === undefined || inPackage.startsWith('@') ? 2 : 1).join('/')
}

/** What serverless.yml tells its bundler, less what only the Framework's plugin for it knows. */
function deployedOptions(): BuildOptions {
  const text = readFileSync(path.join(ROOT, 'infra/esbuild.json'), 'utf8')
  const { outputFileExtension: _, exclude: __, ...options } = JSON.parse(text) as DeployedOptions
  // The Framework's plugin is told their file.
  return { ...options, plugins }
}

interface DeployedOptions extends Omit<BuildOptions, 'plugins'> {
  readonly outputFileExtension: string
  readonly exclude: readonly string[]
}

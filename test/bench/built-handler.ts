import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { type BuildOptions, build } from 'esbuild'

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
    await bundleHandler(name, outfile)
    const times = Array.from({ length: STARTS }, () => {
      const { stdout } = spawnSync(process.execPath, ['-e', MEASURE, outfile], { encoding: 'utf8' })
      return Number(stdout)
    }).sort((a, b) => a - b)
    return { bytes: statSync(outfile).size, importMs: times[STARTS >> 1] ?? Number.NaN }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Bundles a function as it is deployed. @returns the modules of which something is in it */
export async function bundleHandler(name: string, outfile: string): Promise<string[]> {
  const entry = path.join(ROOT, 'functions', name, 'handler.ts')
  const options: BuildOptions = { ...deployedOptions(), entryPoints: [entry], outfile, absWorkingDir: ROOT }
  const { metafile } = await build({ ...options, logLevel: 'silent', metafile: true })
  const inputs = Object.values(metafile?.outputs ?? {}).flatMap((output) => Object.entries(output.inputs))
  return inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([module]) => module)
}

/** What serverless.yml tells its bundler, less what only the plugin knows. */
function deployedOptions(): BuildOptions {
  const text = readFileSync(path.join(ROOT, 'infra/esbuild.json'), 'utf8')
  const options = JSON.parse(text) as BuildOptions & { outputFileExtension?: string; exclude?: string[] }
  delete options.outputFileExtension
  delete options.exclude
  return options
}

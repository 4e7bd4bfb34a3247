import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { projectRoot } from './command.ts'

const TELL_PEAK = `data:text/javascript,${encodeURIComponent(
  `import { writeSync } from 'node:fs'
  process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS)))`,
)}`

/** Runs the command in a process of its own, which tells the peak of its memory by a pipe of its own. */
export async function inletWithPeak(
  args: readonly string[],
  nodeOptions: readonly string[] = [],
): Promise<{ code: number | null; stdout: string; peakBytes: number }> {
  const inlet = path.join(projectRoot, 'shared/cli/inlet.ts')
  const child = spawn(process.execPath, [...nodeOptions, '--import', TELL_PEAK, inlet, ...args], {
    cwd: projectRoot,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  })
  const [stdout, peak, [code]] = await Promise.all([
    text(child.stdout as Readable),
    text(child.stdio[3] as Readable),
    once(child, 'close') as Promise<[number | null]>,
  ])
  return { code, stdout, peakBytes: Number(peak) * 1024 }
}

import { readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { inlet, type Result } from './command.ts'
import { reading } from './sensors.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export const PIPELINE = 'test/helpers/sensors.ts'

/** Twelve readings over three days. */
export const days = Array.from({ length: 12 }, (_, i) =>
  reading(i + 1, `2026-01-${String(1 + (i % 3)).padStart(2, '0')}`),
)

/** The lake of the test that runs, and what the command does with it. */
export interface SensorsLake {
  /** Where the test may write. */
  readonly directory: () => string
  readonly lake: () => string
  /** Lands the events of a file. */
  readonly run: (events: string, ...more: readonly string[]) => Promise<Result>
  /** How many rows a table has, as `query` says it in JSON. */
  readonly count: (table?: string) => Promise<unknown>
  /** Writes lines into a file. @returns its path */
  readonly values: (lines: readonly string[]) => Promise<string>
  /** The paths of all files below a folder of the lake, in their order. */
  readonly filesBelow: (folder: string) => Promise<string[]>
}

/** For a file of tests: a directory for a lake of sensors, new for each of them. */
export function sensorsLake(): SensorsLake {
  const directory = temporaryDirectory()
  const lake = (): string => path.join(directory(), 'lake')
  return {
    directory,
    lake,
    run: (events, ...more) => inlet(['run', PIPELINE, '--events', events, '--lake', lake(), '--json', ...more]),
    async count(table = 'sensors') {
      const sql = `SELECT count(*)::INT AS n FROM ${table}`
      return JSON.parse((await inlet(['query', sql, '--lake', lake(), '--json'])).stdout) as unknown
    },
    async values(lines) {
      const file = path.join(directory(), 'values.ndjson')
      await writeFile(file, `${lines.join('\n')}\n`)
      return file
    },
    async filesBelow(folder) {
      const entries = await readdir(path.join(lake(), folder), { recursive: true, withFileTypes: true })
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath, entry.name))
        .sort()
    },
  }
}

import { registerHooks } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as runs from './runs.ts'

const ROOT = pathToFileURL(`${path.resolve(import.meta.dirname, '../../..')}/`).href

/** A passage of a module of the project and what stands there instead. */
export interface Edit {
  /** From the project's root. */
  readonly file: string
  readonly passage: string
  readonly replacement: string
}

/** What runs schedules, and all of the project that it runs them on. */
type Runs = typeof runs

/**
 * Imports `runs.ts` as if some passages of what it imports were others. Nothing is written: the loader of this thread makes
 * the changes, in copies of the project's modules which only this import sees.
 * @throws Error when a passage is not in its file exactly once: then the source has changed and the mutant proves nothing
 */
export async function mutatedRuns(edits: readonly Edit[]): Promise<Runs> {
  const copy = `?mutant=${copies++}`
  const unused = new Set(edits)
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context)
      const isOfCopy = context.parentURL?.endsWith(copy) === true && isOfProject(found.url)
      return isOfCopy ? { ...found, url: `${found.url}${copy}` } : found
    },
    load(url, context, next) {
      const loaded = next(url, context)
      if (!url.endsWith(copy)) return loaded
      let source = String(loaded.source)
      for (const edit of edits) {
        if (url !== `${ROOT}${edit.file}${copy}`) continue
        source = edited(source, edit)
        unused.delete(edit)
      }
      return { ...loaded, source }
    },
  })
  try {
    // oxlint-disable-next-line import/no-dynamic-require -- another copy each time
    const imported = (await import(`./runs.ts${copy}`)) as Runs
    for (const { file } of unused) throw new Error(`no schedule runs ${file}`)
    return imported
  } finally {
    hooks.deregister()
  }
}

let copies = 0

function isOfProject(url: string): boolean {
  return url.startsWith(ROOT) && !url.includes('/node_modules/')
}

/** @throws Error when the passage is not in the source exactly once */
export function edited(source: string, { file, passage, replacement }: Edit): string {
  const parts = source.split(passage)
  if (parts.length !== 2)
    throw new Error(
      `${file} has ${parts.length - 1} times, not once:\n${passage}\nBring the mutant up to date with it.`,
    )
  return parts.join(replacement)
}

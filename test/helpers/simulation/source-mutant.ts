import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { threadId } from 'node:worker_threads'

const ROOT = path.resolve(import.meta.dirname, '../../..')
const LAKE = path.join(ROOT, 'shared/lake')
/** Ignored by git and by the linters; inside the project, so that a copy finds what the original imports. */
const MUTANTS = path.join(ROOT, '.cache/mutants')

/** A passage of a source and what stands there instead. */
export type Edit = readonly [passage: string, replacement: string]

/**
 * Runs work with a copy of a module of `shared/lake` that differs in some passages.
 * @throws Error when a passage is not in the source exactly once: then the source has changed and the mutant proves
 * nothing
 */
export async function withMutant<T>(
  file: string,
  edits: readonly Edit[],
  work: (url: string) => Promise<T>,
): Promise<T> {
  const source = await readFile(path.join(LAKE, file), 'utf8')
  const mutated = edits.reduce((text, [passage, replacement]) => replaceOnce(file, text, passage, replacement), source)
  const copy = path.join(MUTANTS, `${process.pid}-${threadId}-${copies++}-${file}`)
  await mkdir(MUTANTS, { recursive: true })
  try {
    await writeFile(copy, mutated.replaceAll(/from '\.\//g, "from '#shared/lake/"))
    return await work(pathToFileURL(copy).href)
  } finally {
    await rm(copy, { force: true })
  }
}

let copies = 0

function replaceOnce(file: string, text: string, passage: string, replacement: string): string {
  const parts = text.split(passage)
  if (parts.length !== 2)
    throw new Error(
      `${file} has ${parts.length - 1} times, not once:\n${passage}\nBring the mutant up to date with it.`,
    )
  return parts.join(replacement)
}

import { rmSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import pMap from 'p-map'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { placeInTableBucket } from '#shared/lake/table-bucket.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { Progress } from './progress.ts'

/** Downloads at a time. */
const CONCURRENCY = 16

/** A file that a table is read from. */
export interface StoredFile {
  /** Its key (see `LakeStore`), or the URI of one that is not the lake's. */
  readonly path: string
  /** For one that is not the lake's. */
  readonly read?: () => Promise<Uint8Array>
}

/** Data files where a program of this machine can open them. */
export interface LocalFiles {
  /** What they all lie in. */
  readonly folder: string
  /** Where a data file lies, by its key in the lake. */
  readonly pathOf: (key: string) => string
  /** The key of the data file that lies there. */
  readonly keyOf: (path: string) => string
}

/**
 * Works with data files on this machine: those of a directory where they are, those of S3 as copies, which are removed
 * afterwards, also when the work fails or is interrupted.
 */
export async function withLocalFiles<T>(
  store: ObjectStore,
  files: readonly StoredFile[],
  work: (local: LocalFiles) => Promise<T>,
): Promise<T> {
  if (store.url.startsWith('file:') && files.every(isInLake)) {
    const folder = fileURLToPath(store.url)
    return work({ folder, ...locator(files, (key) => path.join(folder, key)) })
  }
  const folder = await mkdtemp(path.join(os.tmpdir(), 'inlet-files-'))
  const abandon = (signal: NodeJS.Signals): void => {
    rmSync(folder, { recursive: true, force: true })
    process.kill(process.pid, signal)
  }
  for (const signal of SIGNALS) process.once(signal, abandon)
  try {
    const number = new Map(files.map((file, i) => [file.path, i]))
    const copies = locator(files, (key) => path.join(folder, `${number.get(key)}${endingOf(key)}`))
    await download(store, files, copies.pathOf)
    return await work({ folder, ...copies })
  } finally {
    for (const signal of SIGNALS) process.off(signal, abandon)
    await rm(folder, { recursive: true, force: true })
  }
}

function isInLake({ path: key, read }: StoredFile): boolean {
  return read === undefined && placeInTableBucket(key) === undefined
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

function locator(files: readonly StoredFile[], pathOf: (key: string) => string): Omit<LocalFiles, 'folder'> {
  const keys = new Map(files.map((file) => [pathOf(file.path), file.path]))
  return { pathOf, keyOf: (local) => keys.get(local) ?? local }
}

/** What a file's format is told by. */
function endingOf(key: string): string {
  return /\.[a-z.]+$/.exec(key)?.[0] ?? ''
}

async function download(
  store: ObjectStore,
  files: readonly StoredFile[],
  pathOf: (key: string) => string,
): Promise<void> {
  // A few files are there before anybody has read how many.
  const progress = files.length > CONCURRENCY ? new Progress('download', files.length, 'files') : undefined
  const copy = async ({ path: key, read }: StoredFile): Promise<void> => {
    const body = await (read?.() ?? store.get(key))
    if (body === undefined) throw missingFile(key)
    await writeFile(pathOf(key), body)
    progress?.advance(1)
  }
  try {
    await pMap(files, copy, { concurrency: CONCURRENCY })
  } finally {
    progress?.stop()
  }
}

/** A commit, or a snapshot, names a file that is not there. */
export function missingFile(key: string): InletError {
  return new InletError(
    'LOG_CORRUPT',
    `${key} is missing, but a commit names it, or a snapshot; "verify" says what else is wrong`,
  )
}

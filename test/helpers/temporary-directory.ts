import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

/** A new directory for each test of a file, removed afterwards, also when the test fails. @returns the current one's path */
export function temporaryDirectory(): () => string {
  let directory: string | undefined
  beforeEach(async () => {
    directory = await create()
  })
  afterEach(async () => {
    if (directory !== undefined) await remove(directory)
    directory = undefined
  })
  return () => {
    if (directory === undefined) throw new Error('there is a temporary directory only while a test runs')
    return directory
  }
}

/** Runs work in a new directory, which is removed afterwards, also when the work fails. */
export async function inTemporaryDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await create()
  try {
    return await work(directory)
  } finally {
    await remove(directory)
  }
}

const create = (): Promise<string> => mkdtemp(path.join(os.tmpdir(), 'inlet-'))
const remove = (directory: string): Promise<void> => rm(directory, { recursive: true, force: true })

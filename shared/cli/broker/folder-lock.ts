import { open, readFile, rm } from 'node:fs/promises'
import process from 'node:process'
import { LocalClusterError } from './java.ts'

/**
 * Does work that only one process may do in a folder at a time. A lock whose process is gone counts for nothing.
 * @throws LocalClusterError when another process is at it
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  await takeLock(file)
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}

async function takeLock(file: string): Promise<void> {
  try {
    await writeNew(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const holder = Number(await readFile(file, 'utf8').catch(() => ''))
    if (isAlive(holder))
      throw new LocalClusterError(
        `process ${holder} is starting or stopping this cluster: wait for it (its lock: ${file})`,
      )
    await rm(file, { force: true })
    await writeNew(file)
  }
}

async function writeNew(file: string): Promise<void> {
  const lock = await open(file, 'wx')
  try {
    await lock.writeFile(String(process.pid))
  } finally {
    await lock.close()
  }
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch {
    return false
  }
}

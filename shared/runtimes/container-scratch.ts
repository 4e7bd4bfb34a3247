import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { ByteGate } from '#shared/lake/verify/byte-gate.ts'

const PREFIX = 'inlet-scratch-'

/**
 * A folder on the local disk for files that are being written, of this process alone. What is in it is worth nothing once the
 * process has ended: its records are read again.
 */
export class ScratchFolder {
  readonly path: string
  #files = 0
  #bytes = 0

  private constructor(folder: string) {
    this.path = folder
  }

  /** Makes it, empty, and removes those that processes have left which do not run any more. */
  static async make(root: string): Promise<ScratchFolder> {
    await mkdir(root, { recursive: true })
    for (const name of await readdir(root)) {
      const pid = Number(name.startsWith(PREFIX) ? name.slice(PREFIX.length) : Number.NaN)
      if (pid === process.pid || (Number.isSafeInteger(pid) && !isRunning(pid)))
        await rm(path.join(root, name), { recursive: true, force: true })
    }
    const folder = path.join(root, `${PREFIX}${process.pid}`)
    await mkdir(folder)
    return new ScratchFolder(folder)
  }

  /** Of all its files. */
  get bytes(): number {
    return this.#bytes
  }

  newFile(): ScratchFile {
    this.#files += 1
    return new ScratchFile(path.join(this.path, String(this.#files)), (bytes) => {
      this.#bytes += bytes
    })
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

/** A file that grows at its end. */
export class ScratchFile {
  #bytes = 0
  readonly #path: string
  readonly #counted: (bytes: number) => void
  readonly #oneByOne = new ByteGate(1)

  constructor(file: string, counted: (bytes: number) => void) {
    this.#path = file
    this.#counted = counted
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Behind what was appended before, also when that is still under way. */
  async append(body: Uint8Array): Promise<void> {
    this.#bytes += body.length
    this.#counted(body.length)
    await this.#oneByOne.pass(1, () => appendFile(this.#path, body))
  }

  read(): Promise<Buffer> {
    return this.#oneByOne.pass(1, () => readFile(this.#path))
  }

  async remove(): Promise<void> {
    this.#counted(-this.#bytes)
    this.#bytes = 0
    await this.#oneByOne.pass(1, () => rm(this.#path, { force: true }))
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

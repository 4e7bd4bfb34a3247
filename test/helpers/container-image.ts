import { spawn, type ChildProcess } from 'node:child_process'
import { chmod, copyFile, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { projectRoot } from './command.ts'
import { run } from '#shared/cli/python-environment.ts'

/** Long enough to install the packages of production. */
export const BUNDLE_TIMEOUT_MS = 120_000
/** The user and group of the image. */
export const IMAGE_USER = 1000

/**
 * What infra/container/Containerfile puts into the image, in a folder: the bundle, by the command that the image is built with,
 * the packages of production from the lock file, and Node. It runs as the image's user where the tests may change theirs.
 */
export class ContainerImage {
  readonly app: string
  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
    this.app = path.join(folder, 'app')
  }

  /** Whoever builds it has to remove it. */
  static async build(): Promise<ContainerImage> {
    const image = new ContainerImage(await mkdtemp(path.join(os.tmpdir(), 'inlet-image-')))
    try {
      await mkdir(image.app)
      // Other users may look, and no more.
      await chmod(image.#folder, 0o755)
      await copyFile(process.execPath, image.#node)
      await run(path.join(projectRoot, 'infra/container/bundle.sh'), [image.app], 'esbuild')
      const packages = path.join(image.#folder, 'packages')
      for (const file of ['package.json', 'package-lock.json'])
        await cp(path.join(projectRoot, file), path.join(packages, file))
      const ci = ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
      await run('npm', ['--prefix', packages, ...ci], 'npm, and the packages of production')
      await rename(path.join(packages, 'node_modules'), path.join(image.app, 'node_modules'))
      return image
    } catch (error) {
      await image.remove()
      throw error
    }
  }

  /** Runs its entry point, from the root of the disk, with this environment and nothing else. */
  start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
    const isRoot = process.getuid?.() === 0
    return spawn(this.#node, [path.join(this.app, 'shared/cli/inlet.mjs'), ...args], {
      cwd: '/',
      // What it wants to write outside its scratch folder has nowhere to go.
      env: { NODE_ENV: 'production', HOME: '/nonexistent', TMPDIR: '/nonexistent', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(isRoot ? { uid: IMAGE_USER, gid: IMAGE_USER } : {}),
    })
  }

  remove(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true })
  }

  get #node(): string {
    return path.join(this.#folder, 'node')
  }
}

import { spawnSync } from 'node:child_process'
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { projectRoot } from './command.ts'
import { inTemporaryDirectory } from './temporary-directory.ts'

export interface TemporaryProject {
  /** Files of this project that it has copies of. */
  readonly copies: readonly string[]
  /** Folders of this project that it links to. */
  readonly links: readonly string[]
  /** Its own files: path → text. */
  readonly files: Readonly<Record<string, string>>
}

/**
 * Runs a tool of ours on files that are not ours, in a project that has our settings.
 * @param tool its script below `node_modules`
 * @returns what the tool wrote to its standard output
 */
export function runInTemporaryProject(
  { copies, links, files }: TemporaryProject,
  tool: string,
  args: readonly string[],
): Promise<string> {
  return inTemporaryDirectory(async (directory) => {
    for (const file of copies) await cp(path.join(projectRoot, file), path.join(directory, file))
    for (const folder of links) await symlink(path.join(projectRoot, folder), path.join(directory, folder))
    for (const [file, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(directory, file)), { recursive: true })
      await writeFile(path.join(directory, file), text, { flag: 'wx' })
    }
    const script = path.join(projectRoot, 'node_modules', tool)
    const { stdout, stderr, error } = spawnSync(process.execPath, [script, ...args], {
      cwd: directory,
      env: { ...process.env, NODE_OPTIONS: '' },
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    })
    if (error !== undefined) throw error
    if (stdout === '' && stderr !== '') throw new Error(`${tool}: ${stderr}`)
    return stdout
  })
}

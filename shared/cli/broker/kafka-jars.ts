import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { commandFailure, requireCommand } from './java.ts'

const POM = path.join(import.meta.dirname, 'pom.xml')
/** Of the project, and out of git. */
const CACHE = path.join(import.meta.dirname, '../../../.cache')

/** Where Maven is heard: a line for each file that it fetches. */
type Say = (text: string) => void

/**
 * The folder of Kafka's jars. They are fetched from Maven Central where they are not there: 45 files, 45 MB. Another pom is
 * another folder.
 * @throws UsageError when Maven is missing, LocalClusterError with what it says when it fails
 */
export async function kafkaJars(say: Say): Promise<string> {
  const pom = await readFile(POM, 'utf8')
  const folder = path.join(CACHE, jarsName(pom))
  if (!existsSync(folder)) await fetchJars(folder, say)
  return folder
}

/** `kafka-4.4.0-1a2b3c4d` */
export function jarsName(pom: string): string {
  const version = /<kafka\.version>(?<version>[^<]+)</.exec(pom)?.groups?.['version'] ?? 'unknown'
  return `kafka-${version}-${createHash('sha256').update(pom).digest('hex').slice(0, 8)}`
}

/** Fetches them into another folder first: they are there whole or not at all, whoever else fetches them. */
async function fetchJars(folder: string, say: Say): Promise<void> {
  await requireCommand('mvn', ['-version'])
  await mkdir(CACHE, { recursive: true })
  const fetching = await mkdtemp(`${folder}.fetching-`)
  try {
    await copyDependencies(fetching, say)
    await rename(fetching, folder).catch((error: unknown) => {
      // Somebody else was faster.
      if (!existsSync(folder)) throw error
    })
  } finally {
    await rm(fetching, { recursive: true, force: true })
  }
}

async function copyDependencies(folder: string, say: Say): Promise<void> {
  // -C: a jar that is not what its checksum says ends it.
  const args = ['-B', '-C', '-f', POM, 'dependency:copy-dependencies', '-DincludeScope=runtime']
  const maven = spawn('mvn', [...args, `-DoutputDirectory=${folder}`], { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(maven, 'exit') as Promise<[number | null]>
  let stdout = ''
  let files = 0
  say("fetching Kafka's jars with Maven: 45 files, 45 MB, once")
  const lines = createInterface({ input: maven.stdout })
  lines.on('line', (line) => {
    stdout += `${line}\n`
    if (!/Downloaded from|Copying/.test(line)) return
    files += 1
    if (files % 20 === 0) say(`fetching Kafka's jars with Maven: ${files} files of Kafka and of Maven itself so far`)
  })
  const [code] = await ended
  if (code !== 0) throw commandFailure('mvn', { code, stdout })
}

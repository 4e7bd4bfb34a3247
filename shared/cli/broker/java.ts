import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { UsageError } from '#shared/cli/failure.ts'

/** What Apache Kafka 4 runs on. */
const OLDEST_JAVA = 17
const REMEDIES: Readonly<Record<string, string>> = {
  java: 'Java 17 or newer is needed for a local Kafka: install it (Debian: apt install openjdk-17-jre-headless, macOS: brew install openjdk@17) and put it on the PATH',
  keytool: 'it comes with Java 17 or newer: put the bin folder of Java on the PATH',
  mvn: 'Maven is needed to fetch Kafka: install it (Debian: apt install maven, macOS: brew install maven) and put it on the PATH',
}

/**
 * Runs a command of Java or Maven to its end.
 * @throws UsageError when it is not installed; Error with what it said when it fails
 */
export async function requireCommand(
  command: 'java' | 'keytool' | 'mvn',
  args: readonly string[],
  options: { readonly cwd?: string } = {},
): Promise<{ stdout: string; stderr: string }> {
  try {
    return await promisify(execFile)(command, args, { ...options, maxBuffer: 1 << 26 })
  } catch (error) {
    throw commandFailure(command, error)
  }
}

/** What to tell when a command could not be started, or has failed. */
export function commandFailure(command: string, error: unknown): Error {
  const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string }
  if (code === 'ENOENT') return new UsageError(`the command ${command} is not there; ${REMEDIES[command] ?? ''}`)
  const said = `${stdout}\n${stderr}`.split('\n').filter((line) => /ERROR|error|Exception/.test(line))
  const text = said.length > 0 ? said.slice(0, 3).join('\n') : String(error)
  return new LocalClusterError(`${command} failed: ${text}`)
}

/** @throws UsageError when Java is missing or too old */
export async function requireJava(): Promise<void> {
  const { stdout, stderr } = await requireCommand('java', ['-version'])
  const version = javaVersion(stderr + stdout)
  if (version >= OLDEST_JAVA) return
  throw new UsageError(`the command java is Java ${version}; ${REMEDIES['java']}`)
}

/** 17 of `openjdk version "17.0.15" 2025-04-15`, 8 of `java version "1.8.0_402"`, 0 where there is none. */
export function javaVersion(text: string): number {
  const { old, major } = /version "(?:1\.(?<old>\d+)|(?<major>\d+))/.exec(text)?.groups ?? {}
  return Number(old ?? major ?? 0)
}

/** A local cluster does not come up or go down, for a reason that its message says. */
export class LocalClusterError extends Error {
  override readonly name = 'LocalClusterError'
}

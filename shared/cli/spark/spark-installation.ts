/** Spark with Iceberg on this machine, fetched once: the versions that AWS Glue 5.1 has. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { pythonEnvironment, run } from '#shared/cli/python-environment.ts'

const SPARK = '3.5.6'
const PYARROW = '26.0.1'
const ICEBERG = '1.10.0'

/** Spark's part of Iceberg, and what it reads S3 and Glue with. */
export type IcebergArtifact = 'iceberg-spark-runtime-3.5_2.12' | 'iceberg-aws-bundle'

const MAVEN_GOAL = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy'

export interface SparkInstallation {
  readonly python: string
  readonly jars: readonly string[]
}

/**
 * @param within the folder where it lies, or is put
 * @throws InstallationError naming what is missing on the machine
 */
export async function installSpark(within: string, artifacts: readonly IcebergArtifact[]): Promise<SparkInstallation> {
  const folder = path.resolve(within)
  await run('java', ['-version'], 'Java 17, as the command java')
  const jars: string[] = []
  for (const artifact of artifacts) jars.push(await icebergJar(folder, artifact))
  const packages = [`pyspark==${SPARK}`, `pyarrow==${PYARROW}`]
  return { python: await pythonEnvironment(folder, `pyspark-${SPARK}-pyarrow-${PYARROW}`, packages), jars }
}

/** Its folder is not known to a Spark that is there already, whose settings stay out of it. */
export function sparkEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { SPARK_HOME: _home, SPARK_CONF_DIR: _settings, PYSPARK_SUBMIT_ARGS: _args, ...others } = environment
  return { ...others, SPARK_LOCAL_IP: '127.0.0.1', PYTHONUTF8: '1', PYTHONDONTWRITEBYTECODE: '1' }
}

async function icebergJar(folder: string, artifact: IcebergArtifact): Promise<string> {
  const name = `${artifact}-${ICEBERG}.jar`
  const jars = path.join(folder, 'jars')
  const jar = path.join(jars, name)
  if (existsSync(jar)) return jar
  await mkdir(jars, { recursive: true })
  // Under another name first: it is there whole or not at all.
  const fetching = await mkdtemp(path.join(jars, 'fetching-'))
  try {
    const coordinates = `-Dartifact=org.apache.iceberg:${artifact}:${ICEBERG}`
    const args = ['-B', '-q', MAVEN_GOAL, coordinates, `-DoutputDirectory=${fetching}`]
    await run('mvn', args, `Maven, as the command mvn, to fetch ${name}`)
    await rename(path.join(fetching, name), jar)
  } finally {
    await rm(fetching, { recursive: true, force: true })
  }
  return jar
}

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { venvPython } from './venv.ts'

const DUCKDB = '1.5.5'

/** The Python of an environment with pyiceberg, which also has DuckDB's extensions for Iceberg and S3 (see `openIcebergDuckDB`). */
export function icebergPython(): Promise<string> {
  return venvPython(`pyiceberg-0.12.0-duckdb-${DUCKDB}-httpfs`, [
    'pyiceberg[sql-sqlite,pyiceberg-core]==0.12.0',
    'pyarrow==26.0.1',
    `duckdb==${DUCKDB}`,
    `duckdb-extension-iceberg==${DUCKDB}`,
    `duckdb-extension-avro==${DUCKDB}`,
    `duckdb-extension-httpfs==${DUCKDB}`,
  ])
}

/** Runs a script with pyiceberg and its Glue catalog. @param request JSON for its standard input. @returns the JSON it prints */
export async function runPyiceberg(script: string, request: unknown): Promise<unknown> {
  const packages = ['pyiceberg[glue,pyiceberg-core]==0.12.0', 'pyarrow==26.0.1']
  const python = await venvPython('pyiceberg-0.12.0-glue', packages)
  const running = promisify(execFile)(python, [script])
  running.child.stdin?.end(JSON.stringify(request))
  return JSON.parse((await running).stdout)
}

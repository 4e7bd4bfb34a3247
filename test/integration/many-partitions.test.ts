import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { inlet, projectRoot } from '#test/helpers/command.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const RECORDS = 3000
/** Of JavaScript, in MB: the libraries alone take 40. */
const HEAP = 128

const directory = temporaryDirectory()

test(`${RECORDS} table partitions in one batch land within a heap of ${HEAP} MB`, async () => {
  const file = path.join(directory(), 'values.ndjson')
  const lake = path.join(directory(), 'lake')
  const text = 'x'.repeat(1000)
  await writeFile(file, Array.from({ length: RECORDS }, (_, id) => JSON.stringify({ id, text })).join('\n'))
  const pipeline = 'test/fixtures/one-partition-each.ts'
  const run = [
    'run',
    pipeline,
    '--events',
    file,
    '--lake',
    lake,
    '--partitions',
    '1',
    '--batch',
    String(RECORDS),
    '--json',
  ]
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`--max-old-space-size=${HEAP}`, 'shared/cli/inlet.ts', ...run],
    { cwd: projectRoot, env: { ...process.env, NODE_OPTIONS: '' }, encoding: 'utf8' },
  )
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({ records: RECORDS, written: RECORDS, files: RECORDS })
  expect(await inlet(['verify', '--lake', lake])).toMatchObject({ code: 0 })
})

import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { S3Store } from '#shared/lake/s3-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { bundleHandler } from '#test/bench/built-handler.ts'
import { projectRoot } from '#test/helpers/command.ts'
import { faultyS3 } from '#test/helpers/faulty-s3.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const faulty = faultyS3()

/** What only a committer needs, what only other machines than Lambda need, and what zod tells people of other languages. */
const COMMITTERS = /\/client-(?:glue|s3tables)\/|\/avsc\/|\/iceberg\/(?:append|manifest)/
const ELSEWHERE = /\/credential-provider-|\/token-providers\/|\/locales\/(?!en\.)/

/** @returns the modules that there is something of */
const bundled = async (name: string, outfile: string) => [...(await bundleHandler(name, outfile)).modules.keys()]

test('the bundle of a pipeline holds what it needs, and lands an event in S3 as Lambda would have it', async () => {
  const outfile = path.join(directory(), 'handler.cjs')
  const modules = await bundled('flights', outfile)
  expect(modules.filter((module) => COMMITTERS.test(module) || ELSEWHERE.test(module))).toEqual([])

  const invoke = `require(${JSON.stringify(outfile)}).handler(require('./events/flights/batch.json'),
    { getRemainingTimeInMillis: () => 60000 }).catch((error) => { console.error(error); process.exitCode = 1 })`
  const run = (environment: Record<string, string>) =>
    spawnSync(process.execPath, ['-e', invoke], {
      cwd: projectRoot,
      env: { LAKE_URL: faulty.url, AWS_REGION: 'us-east-1', ...environment },
      encoding: 'utf8',
    })
  expect(run(faulty.s3.environment())).toMatchObject({ status: 0 })
  // The second time it reads what it has put, and checks the checksums.
  expect(run(faulty.s3.environment())).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/"known":10,.*"written":0/) as string,
  })
  const lake = await verifyLake(new S3Store(faulty.url, { client: faulty.s3.client() }), { deep: true })
  expect(lake).toMatchObject({ commits: 1, counts: { records: 10 }, faults: [] })

  const { AWS_ACCESS_KEY_ID: _, ...withoutKey } = faulty.s3.environment()
  expect(run(withoutKey)).toMatchObject({ status: 1, stderr: expect.stringContaining('STORE_DENIED') as string })
})

test('the bundle of the committer holds the catalogs', async () => {
  const modules = await bundled('committer', path.join(directory(), 'handler.cjs'))
  expect(modules.filter((module) => COMMITTERS.test(module)).length).toBeGreaterThan(10)
  expect(modules.filter((module) => ELSEWHERE.test(module))).toEqual([])
})

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { inlet } from '#test/helpers/command.ts'

const JANUARY = 'events/flights/2013-01.ndjson.gz'
const RECORDS = 27_004

/** A file system in memory of that size, or undefined where this user may not mount one. */
function mountSmall(size: string): { folder: string; grow(size: string): void; unmount(): void } | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), 'inlet-disk-'))
  const mount = (...options: string[]) => spawnSync('mount', [...options, folder])
  if (mount('-t', 'tmpfs', '-o', `size=${size}`, 'none').status !== 0) {
    rmdirSync(folder)
    return undefined
  }
  return {
    folder,
    grow: (larger) => expect(mount('-o', `remount,size=${larger}`).status).toBe(0),
    unmount() {
      expect(spawnSync('umount', [folder]).status).toBe(0)
      rmdirSync(folder)
    },
  }
}

test('a disk that fills up: one clear error, what was acknowledged is there, and the rest lands when there is room', async () => {
  const disk = mountSmall('200k')
  if (disk === undefined) {
    if (process.env['CI'] === 'true') throw new Error('a full disk has to be tested in continuous integration')
    process.stderr.write('NOT TESTED with a full disk: this user may not mount a file system\n')
    return
  }
  try {
    const lake = path.join(disk.folder, 'lake')
    const run = () => inlet(['run', 'flights', '--events', JANUARY, '--batch', '1000', '--lake', lake, '--json'])
    const verify = async () => {
      const { code, stdout, stderr } = await inlet(['verify', '--deep', '--lake', lake, '--json'])
      if (stdout === '') throw new Error(stderr)
      return { code, ...(JSON.parse(stdout) as { counts: { records: number }; orphans: unknown[] }) }
    }

    const full = await run()
    expect(full.code).toBe(1)
    expect(full.stderr).toMatch(/STORE_FULL \(store\): cannot write .*: the disk is full/)
    expect(full.stderr).not.toMatch(/\n\s+at /)
    const before = await verify()
    expect(before.code).toBe(0)
    expect(before.counts.records).toBeGreaterThan(0)
    expect(before.counts.records).toBeLessThan(RECORDS)
    expect(before.orphans.length).toBeGreaterThan(0)

    disk.grow('50m')
    const { stdout } = await run()
    expect(JSON.parse(stdout)).toMatchObject({ records: RECORDS, known: before.counts.records })
    expect(await verify()).toMatchObject({ code: 0, counts: { records: RECORDS } })
    expect(await inlet(['vacuum', '--lake', lake])).toMatchObject({ code: 0 })
    expect(await verify()).toMatchObject({ code: 0, counts: { records: RECORDS }, orphans: [] })
  } finally {
    disk.unmount()
  }
})

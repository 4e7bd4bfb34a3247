/**
 * What a table commit costs as a table grows: CPU time, objects and bytes written, at 10, 100 and 1,000 snapshots, with 10 and
 * 1,000 files each; and eight committers at once. On a store in memory, so that it is the committer that is measured; the
 * data files are described in the log, with the statistics of real ones, and not there.
 */
import process from 'node:process'
import { textTable } from '#shared/cli/text-table.ts'
import { formatBytes, formatCount, Progress } from '#shared/cli/progress.ts'
import { CommitLog } from '#shared/lake/commit-log.ts'
import { committedFiles } from '#shared/lake/committed-files.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { LakeTable } from '#test/helpers/lake-table.ts'
import { sensors } from '#test/helpers/locked-sensors.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'

const SNAPSHOTS = [10, 100, 1000]
const FILES = [10, 1000]
/** Commits whose costs are averaged at each size. */
const MEASURED = 5
const DAY_MS = 86_400_000
const TOPIC = { pipeline: 'sensors', generation: 0, cluster: 'bench', topic: 'sensors' }

/** A value a day: each becomes a file of a table partition of its own. */
function values(files: number): string[] {
  return Array.from({ length: files }, (_, i) => reading(1, new Date(i * DAY_MS).toISOString().slice(0, 10)))
}

/** A store that counts what is put into it. */
function counted(store: MemoryStore): { store: ObjectStore; put: { objects: number; bytes: number } } {
  const put = { objects: 0, bytes: 0 }
  const count = (body: Uint8Array): void => {
    put.objects += 1
    put.bytes += body.length
  }
  return {
    put,
    store: {
      url: store.url,
      put: (key, body) => (count(body), store.put(key, body)),
      putIfAbsent: (key, body) => (count(body), store.putIfAbsent(key, body)),
      get: (key) => store.get(key),
      size: (key) => store.size(key),
      list: (prefix, options) => store.list(prefix, options),
      delete: (key) => store.delete(key),
    },
  }
}

/** Lands a real batch once. @returns what lands the like of it again and again, without the files */
async function lander(store: MemoryStore, files: number): Promise<() => Promise<void>> {
  const template = new MemoryStore()
  await deliver(template, sensors, sensorEvent(values(files)))
  const described = (await committedFiles(template)).get('sensors') ?? []
  const log = new CommitLog(store, { ...TOPIC, epoch: 0, partition: 0 })
  let offset = 0
  return async () => {
    const records = Array.from({ length: files }, () => kafkaRecord('', { offset: offset++ }))
    await log.land(records, async (_, { id }) => ({
      files: described.map((file, i) => ({ ...file, path: file.path.replace(/[^/]+$/, `${id}-${i}.parquet`) })),
      rejected: [],
      counts: { records: files, written: files, skipped: 0, rejected: 0, rows: files },
      pipelineVersion: sensors.version,
      schemaId: sensors.table.schemaId,
      specId: sensors.table.specId,
      watermark: null,
    }))
  }
}

/** Fills a table one snapshot after another. @returns a row for each size that is asked for */
async function grow(files: number): Promise<string[][]> {
  const inner = new MemoryStore()
  const { store, put } = counted(inner)
  const table = await LakeTable.applied(store, sensors)
  const rows: string[][] = []
  const land = await lander(inner, files)
  const progress = new Progress(`${files} files a commit`, 1000 + SNAPSHOTS.length * MEASURED, 'commits')
  const commit = async (): Promise<void> => {
    await land()
    progress.advance(1)
  }
  for (const snapshots of SNAPSHOTS) {
    while ((await table.metadata()).snapshots.length < snapshots) {
      await commit()
      await table.commit()
    }
    let cpu = 0
    Object.assign(put, { objects: 0, bytes: 0 })
    for (let i = 0; i < MEASURED; i++) {
      await commit()
      const before = process.cpuUsage()
      await table.commit()
      const { user, system } = process.cpuUsage(before)
      cpu += (user + system) / 1000
    }
    rows.push([
      formatCount(snapshots),
      formatCount(files),
      (cpu / MEASURED).toFixed(1),
      formatCount(put.objects / MEASURED),
      formatBytes(put.bytes / MEASURED),
    ])
  }
  progress.stop()
  return rows
}

/** Eight committers share what 200 commits brought. */
async function race(): Promise<string> {
  const store = new MemoryStore()
  const tables = Array.from({ length: 8 }, () => new LakeTable(store, sensors))
  await tables[0]?.apply()
  const batch = values(10)
  for (let i = 0; i < 200; i++)
    await deliver(store, sensors, sensorEvent(batch, i % 4, Math.floor(i / 4) * batch.length))
  const before = process.cpuUsage()
  const runs = await Promise.all(
    tables.map(async (table) => {
      let taken = 0
      for (let isMore = true; isMore; ) {
        const { entries, isMore: more } = await table.commit({ limit: 5, attempts: 1000 })
        taken += entries
        isMore = more
      }
      return taken
    }),
  )
  const { user, system } = process.cpuUsage(before)
  const files = await tables[0]?.files()
  const { snapshots } = (await tables[0]?.metadata()) ?? { snapshots: [] }
  return `eight committers at once: ${runs.reduce((sum, each) => sum + each, 0)} entries taken as ${snapshots.length} snapshots with ${formatCount(files?.length ?? 0)} files, ${((user + system) / 1e6).toFixed(1)} s of CPU`
}

const rows: string[][] = []
for (const files of FILES) rows.push(...(await grow(files)))
process.stdout.write(
  `${textTable(['snapshots', 'files a commit', 'CPU ms', 'objects written', 'bytes written'], rows)}\n\n`,
)
process.stdout.write(`${await race()}\n`)

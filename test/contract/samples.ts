import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Delivery } from '#shared/pipeline/process-batch.ts'
import { parseMskEvent } from '#shared/sources/msk-event.ts'
import { readValueFile } from '#shared/sources/value-file.ts'
import { valueEvent } from '#test/helpers/value-event.ts'

const EVENTS = new URL('../../events/', import.meta.url)

/** A record as Lambda sends it. */
export interface RawRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key?: string | null
  readonly value?: string | null
  readonly headers: readonly Readonly<Record<string, readonly number[]>>[]
}

/** One file of sample events and the invocations that it stands for. */
export interface Sample {
  readonly topic: string
  readonly file: string
  readonly events: readonly unknown[]
}

/** The sample files of all topics: `events/<topic>/<file>`. */
export function readSamples(): Sample[] {
  const topics = readdirSync(EVENTS, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return topics.flatMap(({ name: topic }) => {
    const files = readdirSync(new URL(`${topic}/`, EVENTS))
    return files.sort().map((file) => ({ topic, file, events: readEvents(topic, file) }))
  })
}

function readEvents(topic: string, file: string): unknown[] {
  const content = readFileSync(new URL(`${topic}/${file}`, EVENTS))
  if (file.endsWith('.json')) return [JSON.parse(content.toString('utf8'))]
  if (file.endsWith('.ndjson.gz')) return [valueEvent(readValueFile(gunzipSync(content), 1), topic)]
  throw new Error(`events/${topic}/${file}: neither an MSK event (.json) nor values (.ndjson.gz)`)
}

export function deliveriesOf(sample: Sample): Delivery[] {
  return sample.events.map(parseMskEvent)
}

/** The records of a sample as they stand in the file, by position. */
export function rawRecords({ events }: Sample): Map<string, RawRecord> {
  const records = (events as { records: Record<string, RawRecord[]> }[]).flatMap((event) =>
    Object.values(event.records).flat(),
  )
  return new Map(records.map((record) => [`${record.topic}-${record.partition}@${record.offset}`, record]))
}

/**
 * What must become of each record of a sample, by position: `written`, `skipped`, or the code of the rejection and the
 * field at fault. The table beside the events names a position (`flights-0@16`) or a range (`flights-0@0..9`).
 */
export function expectedOutcomes({ topic, file }: Sample, pipeline: string): Map<string, string> {
  const table: Record<string, Record<string, Record<string, string>>> = JSON.parse(
    readFileSync(new URL(`${topic}.expected.json`, EVENTS), 'utf8'),
  )
  const ranges = table[pipeline]?.[file]
  if (ranges === undefined)
    throw new Error(`events/${topic}.expected.json does not say what pipeline ${pipeline} makes of ${file}`)
  const outcomes = new Map<string, string>()
  for (const [range, outcome] of Object.entries(ranges)) {
    const groups = /^(?<partition>.+-\d+)@(?<first>\d+)(?:\.\.(?<last>\d+))?$/.exec(range)?.groups
    if (groups === undefined) throw new Error(`events/${topic}.expected.json: ${range} is no position`)
    const { partition, first, last = first } = groups
    for (let offset = Number(first); offset <= Number(last); offset++) outcomes.set(`${partition}@${offset}`, outcome)
  }
  return outcomes
}

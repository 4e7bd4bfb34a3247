import { isDeepStrictEqual } from 'node:util'
import { MAX_DEPTH } from '#shared/codecs/json.ts'
import type { Flow } from '#shared/pipeline/flow.ts'
import { REJECTIONS, type RejectionCode, type Row } from '#shared/pipeline/outcome.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { readJson } from '#test/helpers/json-reader.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { type Landing, land } from '#test/helpers/landing.ts'
import type { Value } from './values.ts'

/** CPU time that a delivery may take: a hundred times what it takes, so that only what runs away takes longer. */
const MS_PER_DELIVERY = 5000
const MS_PER_KILOBYTE = 5
const MAX_MESSAGE = 400
const MAX_FIELD = 64 * 50

const MEMBERS = Object.getOwnPropertyNames(Object.prototype).join()

/** Lands values as one delivery and says what is wrong with what became of them, if anything is. */
export async function faultOf(flow: Flow, values: readonly Value[]): Promise<string | undefined> {
  const records = values.map((value, offset) =>
    kafkaRecord(value, {
      topic: flow.pipeline.topic,
      offset,
      timestamp: offset * 3_600_000,
      key: offset % 3 === 0 ? null : Uint8Array.of(offset % 256),
      headers: offset % 2 === 0 ? [] : [{ name: 'n', value: Uint8Array.of(offset % 256, 255) }],
    }),
  )
  const before = process.cpuUsage()
  const landing = await land(flow, records)
  const { user, system } = process.cpuUsage(before)
  const kilobytes = values.reduce((sum, value) => sum + (value?.length ?? 0), 0) / 1024
  if ((user + system) / 1000 > MS_PER_DELIVERY + MS_PER_KILOBYTE * kilobytes)
    return `took ${Math.round((user + system) / 1000)} ms for ${Math.round(kilobytes)} KB`
  if (Object.getOwnPropertyNames(Object.prototype).join() !== MEMBERS) return 'Object.prototype was changed'
  return faultIn(landing, flow, records)
}

function faultIn(
  { reports, rows, deadLetters }: Landing,
  flow: Flow,
  records: readonly KafkaRecord[],
): string | undefined {
  const [report] = reports
  if (report === undefined) return records.length === 0 ? undefined : 'no report'
  if (report.error !== null) return `the slice failed: ${report.error.code} ${report.error.message}`
  const { written, skipped, rejected } = report
  if (written + skipped + rejected !== records.length || report.records !== records.length)
    return `${written} + ${skipped} + ${rejected} are not ${records.length}`
  if (rows.length !== report.rows) return `${report.rows} rows were told, ${rows.length} are there`
  if (deadLetters.length !== rejected) return `${rejected} dead letters were told, ${deadLetters.length} are there`
  const rowsOf = Map.groupBy(rows, offsetOf)
  const lettersOf = Map.groupBy(deadLetters, offsetOf)
  let missing = 0
  for (const record of records) {
    const own = { rows: rowsOf.get(record.offset) ?? [], letters: lettersOf.get(record.offset) ?? [] }
    if (own.rows.length === 0 && own.letters.length === 0) missing += 1
    const fault = faultOfRecord(flow, record, own.rows, own.letters)
    if (fault !== undefined) return `record ${record.offset}: ${fault}`
  }
  return missing === skipped ? undefined : `${skipped} were skipped, ${missing} are nowhere`
}

const offsetOf = (row: Row): number => Number(row['_offset'])

function faultOfRecord(
  flow: Flow,
  record: KafkaRecord,
  rows: readonly Row[],
  letters: readonly Row[],
): string | undefined {
  const [letter] = letters
  if (letters.length > 1) return 'it is a dead letter twice'
  if (letter !== undefined && rows.length > 0) return 'it is rows and a dead letter'
  if (rows.some((row, i) => Number(row['_index']) !== i)) return 'its rows are not numbered'
  const stage = letter === undefined ? undefined : REJECTIONS[letter['code'] as RejectionCode]
  const decoded = record.value !== null && stage !== 'decode'
  if (decoded !== isAcceptable(record.value))
    return `it was ${decoded ? 'decoded' : `refused (${String(letter?.['code'])})`}`
  // The same record alone.
  const alone = flow.recordPath(record)
  if (alone.kind === 'rejected' && letter?.['code'] !== alone.rejection.code)
    return 'alone it is refused for another reason'
  if (alone.kind === 'skipped' && (rows.length > 0 || letter !== undefined)) return 'alone it is skipped'
  if (alone.kind === 'written' && letter === undefined && rows.length !== alone.rows.length)
    return 'alone it is other rows'
  return letter === undefined ? undefined : faultOfLetter(letter, record)
}

/** Whether RFC 8259 and the stated choices say that a value is to be decoded. */
function isAcceptable(value: Value): boolean {
  if (value === null) return false
  const text = Buffer.from(value).toString('utf8')
  if (!Buffer.from(text).equals(value)) return false
  const json = readJson(text)
  if (json === undefined || json.hasDuplicates || json.depth > MAX_DEPTH) return false
  const { keys, strings, numbers } = json
  if (keys.some((key) => key === '__proto__' || key === 'constructor' || !key.isWellFormed())) return false
  return strings.every((some) => some.isWellFormed()) && numbers.every((number) => Number.isFinite(Number(number)))
}

function faultOfLetter(letter: Row, { key, value, headers }: KafkaRecord): string | undefined {
  const bytes = (some: unknown): string | null =>
    some === null ? null : Buffer.from(some as Uint8Array).toString('base64')
  if (bytes(letter['value']) !== bytes(value)) return 'its dead letter has other bytes'
  if (bytes(letter['key']) !== bytes(key)) return 'its dead letter has another key'
  const kept = (letter['headers'] as { name: string; value: Uint8Array }[]).map((header) => [
    header.name,
    bytes(header.value),
  ])
  if (
    !isDeepStrictEqual(
      kept,
      headers.map((header) => [header.name, bytes(header.value)]),
    )
  )
    return 'its dead letter has other headers'
  const message = String(letter['message'])
  if (message.length > MAX_MESSAGE || !message.isWellFormed()) return `its message is ${message.length} characters`
  if (message.includes('hunter2')) return 'its message tells a secret'
  if (String(letter['field'] ?? '').length > MAX_FIELD) return 'its field is too long'
  return undefined
}

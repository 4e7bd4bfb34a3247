import { S3ServiceException } from '@aws-sdk/client-s3'
import { MAX_OFFSET, parseDataFileKey, parseLogKey, parseMarkerKey } from '#shared/lake/log-keys.ts'
import type { PartitionRecords } from '#shared/pipeline/record.ts'
import type { Fate } from './fates.ts'
import type { Request } from './process.ts'
import { logName } from './topic.ts'

/** What happened in a schedule, a line each. */
export class Trace {
  readonly lines: string[] = []

  event(actor: string, what: string): void {
    this.lines.push(`${actor.padEnd(12)}  ${what}`)
  }

  invocation(actor: string, what: string, life: number, partitions: readonly PartitionRecords[]): void {
    const slices = partitions.map(({ partition, records }) => {
      const offsets = records.map(({ offset }) => offset).join(' ')
      return `${logName({ partition, epoch: life })}: ${offsets}`
    })
    this.event(actor, `gets a ${what} of ${slices.join(', ')}`)
  }

  call(actor: string, { operation, key }: Request, fate: Fate, outcome: unknown): void {
    const answer = outcome instanceof S3ServiceException ? String(outcome.$metadata.httpStatusCode) : said(outcome)
    const heard = fate === 'done' ? answer : fate === 'sent twice' ? `${answer} (${fate})` : fate
    this.event(actor, `${operation.padEnd(11)}  ${placeOf(key).padEnd(44)}  ${heard}`.trimEnd())
  }
}

/** A key of the lake in a few words. */
function placeOf(key: string): string {
  const log = parseLogKey(key)
  if (log === undefined) {
    const file = parseDataFileKey(key)
    if (file === undefined) return key
    const { place } = file
    const meant = place.kind === 'commit' ? `commit ${place.start}` : `amendment ${place.amends}.${place.number}`
    return `${key.split('/').slice(1, -1).join('/')} for ${meant}`
  }
  const [kind, ...rest] = key.slice(log.prefix.length).split('/')
  const name = rest.join('/')
  return `${logName(log.id)} ${kind === undefined ? '' : nameOf(kind, key, name)}`
}

function nameOf(kind: string, key: string, name: string): string {
  if (kind === 'announced') return 'announcement'
  if (kind === 'commits') return name === '' ? 'commits' : `commit ${MAX_OFFSET - Number.parseInt(name, 10)}`
  const { amends, number } = parseMarkerKey(key.replace('.json', ''))
  if (kind === 'amendments')
    return name.endsWith('.json') ? `amendment ${amends}.${number}` : `amendments of ${Number.parseInt(name, 10)}`
  return name.split('/').length === 3
    ? `marker ${amends}.${number} of ${name.split('/')[0]}`
    : `markers of ${name.split('/')[0]}`
}

function said(answer: unknown): string {
  if (typeof answer === 'boolean') return String(answer)
  if (typeof answer !== 'object' || answer === null) return ''
  if ('Contents' in answer && Array.isArray(answer.Contents)) return `${answer.Contents.length} keys`
  return 'ETag' in answer && 'Body' in answer && answer.Body === undefined ? 'done' : ''
}

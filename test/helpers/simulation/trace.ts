import { MAX_OFFSET, parseDataFileKey, parseLogKey, parseMarkerKey } from '#shared/lake/log-keys.ts'
import type { Call, Fate } from './schedule.ts'
import { logName } from './topic.ts'

/** What happened in a schedule, a line each. Nothing in it depends on the random names of files. */
export class Trace {
  readonly lines: string[] = []

  event(actor: string, what: string): void {
    this.lines.push(`${actor.padEnd(12)}  ${what}`)
  }

  call(actor: string, { operation, key }: Call, fate: Fate, answer: unknown): void {
    const outcome = fate === 'done' ? said(answer) : fate === 'sent twice' ? `${said(answer)} (sent twice)` : fate
    this.event(actor, `${operation.padEnd(11)}  ${placeOf(key).padEnd(44)}  ${outcome}`.trimEnd())
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
  if (kind === 'commits') return name === '' ? 'commits' : `commit ${MAX_OFFSET - Number.parseInt(name, 10)}`
  const { amends, number } = parseMarkerKey(key.replace('.json', ''))
  if (kind === 'amendments')
    return name.endsWith('.json') ? `amendment ${amends}.${number}` : `amendments of ${Number.parseInt(name, 10)}`
  return name.split('/').length === 3
    ? `marker ${amends}.${number} of ${name.split('/')[0]}`
    : `markers of ${name.split('/')[0]}`
}

function said(answer: unknown): string {
  if (typeof answer === 'string' || typeof answer === 'boolean') return String(answer)
  if (answer instanceof Uint8Array) return `${answer.length} bytes`
  if (typeof answer === 'object' && answer !== null && 'entries' in answer && Array.isArray(answer.entries))
    return `${answer.entries.length} keys`
  return ''
}

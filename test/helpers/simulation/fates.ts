import type { Events } from './events.ts'
import type { Odds } from './random.ts'

/** What becomes of a call to the store or to a catalog. */
export type Fate =
  | 'done'
  /** Done, but not before others have gone on. */
  | 'slow'
  /** Not done: 503. */
  | 'refused'
  /** Not done: 500. */
  | 'broken'
  /** Not done: 409, another conditional write of the key is under way. */
  | 'conflict'
  /** Done, but the connection breaks before the answer is there. */
  | 'answer lost'
  /** Done, but the answer is 500. */
  | 'failed when done'
  /** Done at some later moment, whatever happens meanwhile; to the client the connection breaks. */
  | 'late'
  /** Done twice, as the client did not hear of the first time: what it sees is 412 for its own write. */
  | 'sent twice'
  /** Done, but the answer breaks off. */
  | 'breaks off'

const READ: Odds<Fate> = [
  ['refused', 0.005],
  ['broken', 0.002],
  ['slow', 0.01],
]
const CHANGE: Odds<Fate> = [
  ...READ,
  ['answer lost', 0.008],
  ['failed when done', 0.003],
  ['late', 0.01],
  ['sent twice', 0.02],
]
/** By operation; what is not here does not go over the network. */
const ODDS: ReadonlyMap<string, Odds<Fate>> = new Map([
  ['get', [...READ, ['breaks off', 0.005]]],
  ['size', READ],
  ['list', READ],
  ['put', CHANGE],
  ['putIfAbsent', [...CHANGE, ['conflict', 0.01]]],
  ['delete', CHANGE],
  ['read', READ],
  ['swap', CHANGE],
])

const CHANGES = new Set(['put', 'putIfAbsent', 'delete', 'swap'])

/** In a storm hardly anybody is answered. */
const STORM: Odds<Fate> = [['refused', 0.7]]

/** What can become of a change whose client has given it up. */
export const ABANDONED: readonly Fate[] = ['refused', 'late', 'answer lost']

/** Whether an operation changes anything, so that it may be done late. */
export function isChange(operation: string): boolean {
  return CHANGES.has(operation)
}

export function fateOf(operation: string, events: Events, isStorm: boolean): Fate {
  const odds = ODDS.get(operation)
  if (odds === undefined) return 'done'
  return (isStorm ? events.one(STORM) : undefined) ?? events.one(odds) ?? 'done'
}

import { createHash } from 'node:crypto'
import type { NewDataFile } from '#shared/pipeline/commit.ts'
import { escapePath } from '#shared/pipeline/partition-path.ts'

/** Below it, everything the commit logs consist of; outside every table's location. */
export const LOG_ROOT = 'log/'
/** Below it, the tables. */
export const TABLES_ROOT = 'tables/'

/** The greatest offset that JSON carries exactly; Kafka would need 285 years at a million records a second to reach it. */
export const MAX_OFFSET = Number.MAX_SAFE_INTEGER
const DIGITS = String(MAX_OFFSET).length

/** A topic as one generation of a pipeline reads it. */
export interface TopicId {
  readonly pipeline: string
  readonly generation: number
  readonly cluster: string
  readonly topic: string
}

/** Whose records a log holds: one life of a topic's offsets, and one Kafka partition. */
export interface LogId extends TopicId {
  readonly epoch: number
  readonly partition: number
}

/** What the logs of one generation of a pipeline lie below. */
export function generationPrefix({ pipeline, generation }: Pick<TopicId, 'pipeline' | 'generation'>): string {
  return `${LOG_ROOT}${pipeline}/g${generation}/`
}

/** What the logs of a topic, and its epochs, lie below. */
export function topicPrefix({ cluster, topic, ...of }: TopicId): string {
  return `${generationPrefix(of)}${escapePath(cluster)}/${topic}/`
}

/** Where an entry stands in its log. */
export type EntryPlace =
  | { readonly kind: 'commit'; readonly start: number }
  | { readonly kind: 'amendment'; readonly amends: number; readonly number: number }

/** The prefix of a log. Commits, amendments and markers lie beside one another below it, never nested. */
export function logPrefix(id: LogId): string {
  return `${topicPrefix(id)}e${id.epoch}/p${id.partition}/`
}

/** The key of the object that begins an epoch. Its name counts down too: the current epoch is listed first. */
export function epochKey(topic: TopicId, epoch: number): string {
  return `${epochsPrefix(topic)}${padded(MAX_OFFSET - epoch)}.json`
}

export function epochsPrefix(topic: TopicId): string {
  return `${topicPrefix(topic)}epochs/`
}

/** The key of the object that says that an epoch is being ended: no log of it may begin any more. */
export function endingKey(topic: TopicId, epoch: number): string {
  return `${topicPrefix(topic)}endings/${epoch}.json`
}

/** @returns the epoch that a key begins */
export function parseEpochKey(key: string): number {
  return countedDown(key)
}

/** The number of a name that counts down from the greatest offset. */
function countedDown(key: string): number {
  return MAX_OFFSET - Number(/(?<left>\d+)\.json$/.exec(key)?.groups?.['left'])
}

/** Zero-padded, so that byte order is numeric order. */
function padded(offset: number): string {
  return String(offset).padStart(DIGITS, '0')
}

/** The key of the object that announces a log before its first commit, so that whoever ends the epoch knows of it. */
export function announcementKey(log: string): string {
  return `${log}announced`
}

/**
 * The key of the commit that begins at an offset. Its name counts down, so that the newest commit is listed first and
 * "the commit with the greatest start ≤ x" is the first key behind `commitsBefore(x)`.
 */
export function commitKey(log: string, start: number): string {
  return `${log}commits/${padded(MAX_OFFSET - start)}.json`
}

/** @returns the offset at which the commit of a key begins */
export function parseCommitKey(key: string): number {
  return countedDown(key)
}

export function commitsPrefix(log: string): string {
  return `${log}commits/`
}

/** A key that sorts directly before the commit at this offset and behind every later one. */
export function commitsBefore(log: string, offset: number): string {
  return `${log}commits/${padded(MAX_OFFSET - offset)}`
}

export function amendmentsPrefix(log: string, amends?: number): string {
  return amends === undefined ? `${log}amendments/` : `${log}amendments/${padded(amends)}/`
}

export function amendmentKey(log: string, amends: number, number: number): string {
  return `${amendmentsPrefix(log, amends)}${String(number).padStart(6, '0')}.json`
}

/** @returns the place that an amendment's key names */
export function parseAmendmentKey(key: string): { amends: number; number: number } {
  const [amends, name = ''] = key.split('/').slice(-2)
  return { amends: Number(amends), number: Number.parseInt(name, 10) }
}

export function markersPrefix(log: string, table: string): string {
  return `${log}dirty/${table}/`
}

/** Says that a table has not yet taken an amendment; written before the amendment. */
export function markerKey(log: string, table: string, amends: number, number: number): string {
  return `${markersPrefix(log, table)}${padded(amends)}/${String(number).padStart(6, '0')}`
}

/** @returns the amendment that a marker's key names */
export function parseMarkerKey(key: string): { amends: number; number: number } {
  const [amends, number] = key.split('/').slice(-2)
  return { amends: Number(amends), number: Number(number) }
}

export function waitingPrefix(log: string): string {
  return `${log}waiting/`
}

/** Says that rows of an entry may wait for a score; written before the entry. */
export function waitingKey(log: string, place: EntryPlace): string {
  return place.kind === 'commit'
    ? `${waitingPrefix(log)}c${padded(place.start)}`
    : `${waitingPrefix(log)}a${padded(place.amends)}.${place.number}`
}

/** @returns the place of the entry that such a key names */
export function parseWaitingKey(key: string): EntryPlace {
  const [, kind, start, number] = /\/(?<kind>[ca])(?<start>\d+)(?:\.(?<number>\d+))?$/.exec(key) ?? []
  return kind === 'c'
    ? { kind: 'commit', start: Number(start) }
    : { kind: 'amendment', amends: Number(start), number: Number(number) }
}

/** A short digest of a log's prefix: how a data file's name says which log may name it. */
export function logDigest(log: string): string {
  return createHash('sha256').update(log).digest('hex').slice(0, 12)
}

/**
 * The key of a data file: in its table's folder, below its table partition, under a name that no other file has, which contains the place in
 * the log that may name it, and no other may.
 */
export function dataFileKey(
  log: string,
  place: EntryPlace,
  attempt: string,
  sequence: number,
  file: NewDataFile,
  folder = dataPrefix(file.table),
): string {
  const at = place.kind === 'commit' ? `c${place.start}` : `a${place.amends}.${place.number}`
  const directory = file.partitionPath === '' ? '' : `${file.partitionPath}/`
  return `${folder}${directory}${logDigest(log)}-${at}-${attempt}-${sequence}.${file.format}`
}

export function dataPrefix(table: string): string {
  return `${TABLES_ROOT}${table}/data/`
}

const TABLE_PREFIX = /^tables\/(?<table>[^/]+)\//

/** @returns the table whose folder a key lies in, and that folder; undefined for other keys */
export function parseTableKey(key: string): { table: string; prefix: string } | undefined {
  const match = TABLE_PREFIX.exec(key)
  return match?.groups === undefined ? undefined : { table: match.groups['table'] ?? '', prefix: match[0] }
}

const DATA_FILE_NAME =
  /^(?<log>[0-9a-f]{12})-(?:c(?<start>\d+)|a(?<amends>\d+)\.(?<number>\d+))-[0-9a-f-]{36}-\d+\.(?:parquet|jsonl\.gz|jsonl\.zst)$/

/** @returns the log digest and the place that a data file was written for; undefined when Inlet did not write it */
export function parseDataFileKey(key: string): { log: string; place: EntryPlace } | undefined {
  const groups = DATA_FILE_NAME.exec(key.slice(key.lastIndexOf('/') + 1))?.groups
  if (groups === undefined) return undefined
  const { log = '', start, amends, number } = groups
  const place: EntryPlace =
    start === undefined
      ? { kind: 'amendment', amends: Number(amends), number: Number(number) }
      : { kind: 'commit', start: Number(start) }
  return { log, place }
}

const LOG_PREFIX =
  /^log\/(?<pipeline>[^/]+)\/g(?<generation>\d+)\/(?<cluster>[^/]+)\/(?<topic>[^/]+)\/e(?<epoch>\d+)\/p(?<partition>\d+)\//

/** @returns the log that a key belongs to, and its prefix; undefined for other keys */
export function parseLogKey(key: string): { id: LogId; prefix: string } | undefined {
  const match = LOG_PREFIX.exec(key)
  if (match?.groups === undefined) return undefined
  const { pipeline = '', generation, cluster = '', topic = '', epoch, partition } = match.groups
  const numbers = { generation: Number(generation), epoch: Number(epoch), partition: Number(partition) }
  return { id: { pipeline, cluster: decodeURIComponent(cluster), topic, ...numbers }, prefix: match[0] }
}

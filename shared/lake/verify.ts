/**
 * The proof of a lake: that its commit logs are whole, that the data files are those which they name, and, in depth, that
 * these hold each record once.
 *
 * It streams. One listing finds the commits of all logs, the newest of each first; some are read ahead, each with its
 * amendments and data files, and what is proven of them comes back in that order, so that a chain is checked link by link.
 * What is held is what some commits and files take at a time, a digest of each data file's key, and what is found.
 */
import { pMapIterable } from 'p-map'
import { parseDataFileKey } from './log-keys.ts'
import type { ObjectStore } from './object-store.ts'
import { ByteGate } from './verify/byte-gate.ts'
import { Chain } from './verify/chain.ts'
import { addTally, type Checks, emptyTally, type Fault, type Tally } from './verify/findings.ts'
import { historiesOf } from './verify/histories.ts'
import { historyProof } from './verify/history-proof.ts'
import { type LogGroup, LogGroups } from './verify/log-groups.ts'
import { PresentFiles } from './verify/present-files.ts'

/** Commits that are read at a time, with their amendments. */
const HISTORIES_AT_A_TIME = 16
/** What the data files that are read at a time may take. */
const FILE_BYTES = 32 * 1024 * 1024

export type { Fault } from './verify/findings.ts'
export type { LogGroup } from './verify/log-groups.ts'

/** What was proven of a lake, or what is wrong with it. */
export interface Verification extends Readonly<Tally> {
  /** Whether the data files were read. */
  readonly deep: boolean
  readonly logs: number
  /** The logs of each life of a topic's offsets, in the order of their keys. */
  readonly groups: readonly LogGroup[]
  readonly checks: Readonly<Checks>
  readonly faults: readonly Fault[]
  /** Data files that no commit names: left by crashes and lost races, seen by no reader of the log. No fault. */
  readonly orphans: readonly { readonly path: string; readonly bytes: number }[]
}

export interface VerifyOptions {
  /** Reads every data file, compares its checksum, and traces each of its rows to its record. */
  readonly deep: boolean
  /** Called with the number of data files that there are, and after each one that is checked. */
  readonly onFiles?: (total: number) => void
  readonly onFile?: () => void
  /** Whether another engine has replaced a data file in its table, so that it may be gone: see `snapshot-proof.ts`. */
  readonly isReplaced?: (path: string) => boolean
}

/**
 * Proves a lake. Writers may be at work: what they commit meanwhile is in the proof or is not.
 * @throws InletError of stage `store` when it cannot be read
 */
export async function verifyLake(store: ObjectStore, options: VerifyOptions): Promise<Verification> {
  const { deep, onFiles = () => {}, onFile = () => {}, isReplaced = () => false } = options
  const present = await PresentFiles.of(store)
  onFiles(present.count)
  const checks: Checks = { files: 0, replaced: 0, checksums: 0, rows: 0, deadLetters: 0 }
  const proving = { store, present, deep, gate: new ByteGate(FILE_BYTES), checks, isReplaced, onFile }
  const faults: Fault[] = []
  const groups = new LogGroups()
  const listed = historiesOf(store, {
    onStray: (fault) => faults.push(fault),
    onEpoch: (topic, epoch) => groups.begin(topic, epoch),
  })
  const histories = pMapIterable(listed, (place) => historyProof(place, proving), { concurrency: HISTORIES_AT_A_TIME })
  let chain: Chain | undefined
  for await (const history of histories) {
    if (chain?.log.prefix !== history.log.prefix) {
      faults.push(...(chain?.end() ?? []))
      chain = new Chain(history.log)
      groups.open(history.log.id)
    }
    faults.push(...history.faults, ...chain.take(history))
    groups.add(history)
  }
  faults.push(...(chain?.end() ?? []), ...groups.faults())

  const tally = emptyTally()
  for (const group of groups.list()) addTally(tally, group)
  const logs = groups.list().reduce((sum, { partitions }) => sum + partitions, 0)
  const orphans: { path: string; bytes: number }[] = []
  // Files of other names are other engines'.
  for await (const { key, bytes } of present.orphans())
    if (parseDataFileKey(key) !== undefined) orphans.push({ path: key, bytes })
  return { deep, logs, ...tally, groups: groups.list(), checks, faults, orphans }
}

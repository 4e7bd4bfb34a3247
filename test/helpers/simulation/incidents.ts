import type { KafkaRecord } from '#shared/pipeline/record.ts'
import type { FollowedTable } from './followed-table.ts'
import type { Process } from './process.ts'
import type { Odds } from './random.ts'
import { FIXED, type TopicPartition, verdictOf, type Version } from './topic.ts'
import type { World } from './world.ts'

/** What befalls the process whose turn it is, and the store; and how often, at a turn. */
export const ANY_TIME = [
  ['kill', 0.012],
  ['clock jump', 0.003],
  ['storm', 0.002],
] as const satisfies Odds<string>

/** What happens besides while batches are delivered. */
export const WHILE_DELIVERING = [
  ...ANY_TIME,
  ['stray', 0.01],
  ['redrive', 0.006],
  ['committer', 0.01],
  ['vacuum', 0.007],
  ['engine', 0.003],
  ['operator', 0.02],
  ['hand over', 0.008],
  ['reset', 0.003],
  ['scale', 0.003],
  ['new mapping', 0.004],
  ['new version', 0.006],
  ['time jump', 0.003],
] as const satisfies Odds<string>

export type Incident = (typeof WHILE_DELIVERING)[number][0]

/** Past the deadline of a call, of an invocation; far past both. */
const CLOCK_JUMPS_MS = [1000, 31_000, 56_000, 600_000]
/** What is left to a function that finds out that it has no time left. */
const BRINK_MS = 2
/** The mapping's clock, which may be set back. */
const TIME_JUMPS_MS = [-60_000, 60_000, 3_600_000, 2 * 86_400_000]
const LONGEST_STORM = 30
const LONGEST_STRAY = 10
const LONGEST_REDRIVE = 5

/** What each does to a world. @returns true when the process whose turn it is does not go on */
export const INCIDENTS: Readonly<Record<Incident, (world: World, process: Process) => true | void>> = {
  kill(world, process) {
    world.kill(process)
    return true
  },
  'clock jump'(world, process) {
    const { random, lambda, schedule } = world
    const brink = (lambda.timeLeft(process) ?? 0) - BRINK_MS
    schedule.jump(process, random.pick([...CLOCK_JUMPS_MS, Math.max(0, brink)]) ?? 0)
    if ((lambda.timeLeft(process) ?? 0) < 0) world.kill(process)
    return true
  },
  storm: ({ schedule, random }) => schedule.storm(random.between(5, LONGEST_STORM)),
  stray: (world) => world.start(() => stray(world)),
  redrive: (world) => world.start(() => redrive(world)),
  committer: (world) => startCommitters(world, tableOf(world)),
  vacuum: (world) => world.start(() => world.vacuum(tableOf(world))),
  engine: (world) => world.start(() => world.disturb(tableOf(world))),
  operator: (world) => world.start(() => world.changeEpoch()),
  'hand over': ({ source }) => source.handOver(),
  reset: ({ source }) => source.reset(),
  scale: ({ source }) => source.scale(),
  'new mapping': ({ source }) => source.redeploy(),
  'new version': ({ lambda }) => lambda.deploy(),
  'time jump': ({ source, random }) => source.pass(random.pick(TIME_JUMPS_MS) ?? 0),
}

/** Which version redrives: most do when the fix is deployed, some before. */
export function versionOfRedrive({ random, lambda }: World): Version {
  return random.chance(0.3) ? lambda.version : FIXED
}

/** One committer of a table, or two at a time. */
export function startCommitters(world: World, table: FollowedTable): void {
  for (let times = world.random.chance(0.5) ? 2 : 1; times > 0; times--) world.start(() => world.commit(table))
}

/** Records that were delivered before, by a poller that is behind. */
function stray(world: World): void {
  const { random, source } = world
  // Nobody delivers records of a life that is over once the next epoch is being begun, or of the next one before it has.
  const partition = random.pick(
    source.partitions.filter(({ id }) =>
      id.epoch === source.life ? id.epoch === 0 || world.isEpochChanged : !world.isEpochChanging,
    ),
  )
  const records = pieceOf(world, partition, LONGEST_STRAY).filter((record) => source.delivered.has(record))
  if (partition !== undefined && records.length > 0) world.stray('stray', partition, records)
}

/** Some of the records that somebody may want to redrive by now, whatever has become of them since. */
function redrive(world: World): void {
  const { random, source, lambda } = world
  const partition = random.pick(source.partitions)
  if (partition === undefined || (partition.id.epoch > 0 && !world.isEpochChanged)) return
  const what = random.chance(0.5) ? 'dead letters' : 'failed batches'
  const isMeant = (record: KafkaRecord): boolean =>
    what === 'failed batches'
      ? source.discarded.has(record)
      : source.delivered.has(record) && verdictOf(partition.natureOf(record.offset).kind, lambda.version) === 'rejected'
  const records = pieceOf(world, partition, LONGEST_REDRIVE).filter(isMeant)
  if (records.length > 0) world.redrive(partition, what, records, versionOfRedrive(world))
}

function pieceOf({ random }: World, partition: TopicPartition | undefined, longest: number): KafkaRecord[] {
  const { records = [] } = partition ?? {}
  const from = random.between(0, records.length - 1)
  return records.slice(from, from + random.between(1, longest))
}

function tableOf({ random, tables }: World): FollowedTable {
  return random.pick(tables) as FollowedTable
}

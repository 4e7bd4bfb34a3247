import type { Costs } from './costs.ts'
import { PRICES, PRICES_READ } from './prices.ts'
import type { SizeShare, Workload } from './workload.ts'

const BAR = 40

/** What a pipeline costs, for people. */
export function costsPage(name: string, workload: Workload, costs: Costs, sizes: readonly SizeShare[]): string {
  const { gigabytes, parts, delivery, alternatives, batches } = costs
  const known = parts.reduce((sum, { usd }) => sum + (usd ?? 0), 0)
  const rows = [
    ...parts.map(({ part, usd, basis }) => [part, usd, basis] as const),
    ['all that is known', known, 'Inlet, cluster and lake'] as const,
    [
      'of that, Inlet runs',
      delivery,
      'function, committer, pollers: what compares with Firehose and MSK Connect',
    ] as const,
  ]
  return [
    `${name}: ${workload.rate.toLocaleString('en-US')} records/s of ${workload.bytes} bytes are ${Math.round(gigabytes).toLocaleString('en-US')} GB a month.`,
    `Assumed: ${workload.cpuMicroseconds} µs of CPU for a record (--cpu-us; npm run bench), ${workload.s3Milliseconds} ms for a put of S3 (--s3-ms; not measured in AWS), ${workload.filesPerSlice} files a slice (--files), ${workload.stored} bytes stored for one (--stored), a steady stream, keys spread evenly.`,
    '',
    `${'US dollars'.padEnd(28)}${'a month'.padStart(12)}${'a GB'.padStart(12)}`,
    ...rows.map(
      ([part, usd, basis]) =>
        `${part.padEnd(28)}${dollars(usd)}${dollars(usd === null ? null : usd / gigabytes, 4)}  ${basis}`,
    ),
    ...advice(costs),
    '',
    `Files: ${Math.round(batches.perSecond * batches.files * 86_400).toLocaleString('en-US')} a day, before compaction`,
    ...sizes.filter(({ share }) => share >= 0.0005).map(sizeLine),
    '',
    'Other ways; Firehose and MSK Connect without requests of S3 on either side, which depend on how often they commit:',
    ...alternatives.map(({ name: other, usd, basis, breakEven, cheaperAbove }) => {
      const cheaper = (isInlet: boolean) => (isInlet ? 'Inlet is cheaper' : `${other} is cheaper`)
      const judged =
        usd === null
          ? ''
          : breakEven === null
            ? `; ${cheaper(cheaperAbove === 'inlet')} at every rate`
            : `; above about ${breakEven.toLocaleString('en-US')} records/s ${cheaper(cheaperAbove === 'inlet')}`
      return `${other.padEnd(28)}${dollars(usd)}${dollars(usd === null ? null : usd / gigabytes, 4)}  ${basis}${judged}`
    }),
    '',
    `Prices of us-east-1, as of ${PRICES_READ}; without free tiers, discounts, logs, metrics and the network. They were read on:`,
    ...new Set(Object.values(PRICES).map(({ source }) => `  ${source}`)),
  ].join('\n')
}

/** Small slices are paid for by the request. */
function advice({ parts, delivery }: Costs): string[] {
  const requests = parts.find(({ part }) => part === 'S3, requests')?.usd ?? 0
  if (requests < delivery) return []
  return [
    '',
    'Requests of S3 are most of what Inlet itself costs: a longer trigger.batchingWindowSeconds, or fewer partitions of the topic, make fewer of them, and larger files.',
  ]
}

function sizeLine({ below, share }: SizeShare, i: number, all: readonly SizeShare[]): string {
  const label = below === Number.POSITIVE_INFINITY ? `from ${size(all[i - 1]?.below ?? 64e6)}` : `below ${size(below)}`
  return `  ${label.padEnd(14)}${`${(share * 100).toFixed(1)}%`.padStart(7)} ${'█'.repeat(Math.round(share * BAR))}`
}

function size(bytes: number): string {
  return bytes >= 1e6 ? `${bytes / 1e6} MB` : `${bytes / 1e3} kB`
}

function dollars(usd: number | null, digits = 2): string {
  return (usd === null ? 'unknown' : usd.toFixed(digits)).padStart(12)
}

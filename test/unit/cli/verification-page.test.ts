import type { LakeProof } from '#shared/cli/verification.ts'
import { verificationPage } from '#shared/cli/verification-page.ts'
import type { LogGroup } from '#shared/lake/verify.ts'

const COUNTS = { records: 1100, written: 1000, skipped: 60, rejected: 40, rows: 1234 }
const TALLY = { commits: 7, amendments: 2, files: 9, bytes: 1_400_000, counts: COUNTS, resolvedDeadLetters: 5, gaps: 3 }

const GROUP: LogGroup = {
  ...TALLY,
  pipeline: 'flights',
  generation: 1,
  cluster: '6357e0b2-0e6a-4b86',
  topic: 'departures',
  epoch: 2,
  partitions: 3,
  sealed: 0,
  offsets: [5, 12_003],
}

const WHOLE: LakeProof = {
  tables: [],
  ...TALLY,
  deep: true,
  logs: 3,
  groups: [GROUP],
  offsets: [5, 12_003],
  faults: [],
  orphans: [],
  checks: { files: 9, replaced: 0, checksums: 9, rows: 1234, deadLetters: 46 },
}

test('a whole lake, proven in depth', () => {
  expect(verificationPage(WHOLE, 'file:.lake')).toBe(
    `
WHOLE: every record of the lake file:.lake is there once

pipeline    cluster       topic          partitions  offsets   records   rows  skipped  dead letters  resolved  gaps  state
──────────  ────────────  ─────────────  ──────────  ────────  ───────  ─────  ───────  ────────────  ────────  ────  ─────
flights g1  6357e0b2-0e…  departures e2           3  5…12,003    1,100  1,234       60            40         5     3  live

records   1,100 = 1,000 written + 40 dead letters open + 60 skipped
rows      1,234 of the written records; 5 dead letters resolved by later amendments
gaps      3 offsets within commits that no delivery has brought
checked   1,100 offsets covered once, by 7 commits and 2 amendments in 3 chains
          9 of 9 data files there, each named once and of the size its commit says, 1.4 MB
          9 with the SHA-256 that their commits say
          1,234 rows and 46 dead letters traced to their records: none twice, none lost, none foreign
orphans   0 data files that no commit names; readers of the log never see them
faults    0`.trimStart(),
  )
})

test('without --deep, it says what was not looked at', () => {
  const checks = { files: 9, replaced: 0, checksums: 0, rows: 0, deadLetters: 0 }
  const page = verificationPage({ ...WHOLE, deep: false, checks }, 'x')
  expect(page).toMatch(/^WHOLE: every offset of the lake x is covered once, and every data file is there\n/)
  expect(page).toContain('\n          not what is in the data files: --deep reads them\n')
  expect(page).not.toContain('SHA-256')
})

test.each([
  [0, 'live'],
  [2, '2 sealed'],
  [3, 'sealed'],
])('%i of three logs sealed: %s', (sealed, state) => {
  const page = verificationPage({ ...WHOLE, groups: [{ ...GROUP, sealed }] }, 'x')
  expect(page).toMatch(new RegExp(`^flights g1 .* ${state}$`, 'm'))
})

test('logs without a record have no offsets', () => {
  const group = { ...GROUP, offsets: null, counts: { ...COUNTS, records: 0 } }
  expect(verificationPage({ ...WHOLE, groups: [group] }, 'x')).toMatch(/^flights g1 .* 3 +– +0 /m)
})

test('what does not balance is shown as such', () => {
  const counts = { ...COUNTS, written: 999 }
  expect(verificationPage({ ...WHOLE, counts }, 'x')).toContain('\nrecords   1,100 ≠ 999 written + 40 ')
})

const faultsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ object: `log/${i}`, fault: i === 0 ? 'is \u001b[31mred' : 'is wrong' }))
const orphansOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ path: `tables/t/data/${i}`, bytes: 12 }))

test('faults: the first of them, and how many more', () => {
  const page = verificationPage({ ...WHOLE, faults: faultsOf(25), orphans: orphansOf(5) }, 'x')
  expect(page).toMatch(/^NOT WHOLE: 25 faults in the lake x\n/)
  expect(page).toContain(
    '\norphans   5 data files that no commit names; readers of the log never see them\n  … and 5 more;',
  )
  expect(page).toContain('\nfaults    25\n  log/0: is \\x1b[31mred\n  log/1: is wrong\n')
  expect(page).toMatch(/ {2}log\/19: is wrong\n {2}… and 5 more; --json lists all$/)
  expect(verificationPage({ ...WHOLE, faults: faultsOf(1) }, 'x')).toMatch(
    /^NOT WHOLE: 1 fault in .*\n[^]*\nfaults {4}1\n/,
  )
})

test('orphans: the first of them, and how many more', () => {
  const page = verificationPage({ ...WHOLE, orphans: orphansOf(7) }, 'x')
  expect(page).toContain('  tables/t/data/4 (12 B)\n  … and 2 more; --json lists all\n')
})

const groupsOf = (count: number): LogGroup[] =>
  Array.from({ length: count }, (_, i) => {
    const records = i % 4 === 1 ? 1000 + i : i
    return { ...GROUP, topic: `topic-${i}`, counts: { ...COUNTS, records } }
  })

test('of many logs, the largest, in their order', () => {
  const groups = groupsOf(80)
  const lines = verificationPage({ ...WHOLE, groups }, 'x').split('\n')
  const topics = lines.map((line) => /topic-(\d+)/.exec(line)?.[1]).filter((topic) => topic !== undefined)
  expect(topics).toEqual(['21', '25', '29', '33', '37', '41', '45', '49', '53', '57', '61', '65', '69', '73', '77'])
  const rest = groups.filter(({ topic }) => !topics.includes(topic.slice(6)))
  const records = rest.reduce((sum, { counts }) => sum + counts.records, 0)
  expect(lines).toContain(`… and 65 more topics with ${records.toLocaleString('en-US')} records; --json lists all`)
})

test('it fits a screen, whatever is wrong', () => {
  for (const [groups, faults, orphans] of [
    [80, 0, 9],
    [80, 25, 9],
    [5, 25, 9],
    [16, 0, 9],
  ] as const) {
    const page = verificationPage(
      { ...WHOLE, groups: groupsOf(groups), faults: faultsOf(faults), orphans: orphansOf(orphans) },
      'x',
    )
    expect(page.split('\n').length).toBeLessThanOrEqual(40)
  }
})

test('a line for each table: its snapshot, and how long it has been behind', () => {
  const owner = { pipeline: 'flights', generation: 0, foreignSnapshots: 0, traced: null, faults: [] }
  const taken = { ...owner, table: 'flights', snapshotId: '77', files: 2, rows: 1000, pending: 0, pendingSince: null }
  const now = Date.UTC(2026, 0, 2)
  const behind = {
    ...taken,
    table: 'late',
    snapshotId: null,
    files: 0,
    rows: 0,
    pending: 3,
    pendingSince: now - 7_200_000,
  }
  const rewritten = { ...taken, table: 'compact', foreignSnapshots: 2, traced: 1000 }
  const page = verificationPage({ ...WHOLE, tables: [taken, { ...behind, foreignSnapshots: 1 }, rewritten] }, 'x', now)
  expect(page).toContain(`
tables    flights: snapshot 77, 2 data files with 1,000 rows; nothing pending
          late: without a snapshot, 0 data files with 0 rows, after 1 snapshot of other engines; 3 commits pending, whose records are of 2026-01-01T22:00:00.000Z (2 hours ago)
          compact: snapshot 77, 2 data files with 1,000 rows, after 2 snapshots of other engines, each row traced to its record; nothing pending
`)
})

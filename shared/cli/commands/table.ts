import process from 'node:process'
import type { Command } from 'commander'
import type { TablePlace } from '#shared/cli/opened-tables.ts'
import { examples, print, withCatalog, withLake } from './options.ts'

interface Options extends TablePlace {
  readonly json?: true
}

interface OneTable extends Options {
  readonly deadLetters?: true
}

export function addTable(program: Command): void {
  const group = program
    .command('table')
    .description('the Iceberg tables of a pipeline: made from what it declares, filled from its log, and looked at')
  addLock(group)
  addPlan(group)
  addApply(group)
  addCommit(group)
  addHistory(group)
  addFiles(group)
  addRollback(group)
  addAdopt(group)
}

function addLock(group: Command): void {
  withPipeline(group, 'lock', "write the table.lock.json beside a pipeline: the ids of its table's fields, for ever")
    .option('--check', 'write nothing; exit code 1 if it would change')
    .option('--json', 'print the file, its revision and the changes')
    .addHelpText('after', examples('table lock flights', 'table lock flights --check'))
    .action(async (name: string, { check = false, json }: { readonly check?: boolean; readonly json?: true }) => {
      const [{ lockChange, writeLock }, { lockPage }] = await Promise.all([
        import('#shared/cli/lock-file.ts'),
        import('#shared/cli/table-page.ts'),
      ])
      const change = await lockChange(name)
      const { file, revision, changes } = change
      const isWritten = !check && changes.length > 0
      if (isWritten) await writeLock(change)
      if (check && changes.length > 0) process.exitCode = 1
      print(json ? JSON.stringify({ file, revision, changes, isWritten }) : lockPage(change, isWritten))
    })
}

function addPlan(group: Command): void {
  withPlace(
    withPipeline(group, 'plan', 'show what apply would do, and touch nothing; exit code 1 if it would be refused'),
  )
    .option('--anew', 'as for apply')
    .addHelpText('after', examples('table plan flights --lake .lake'))
    .action(async (name: string, { anew = false, json, ...place }: Options & { readonly anew?: boolean }) => {
      const [{ planTables }, { planPage }] = await Promise.all([
        import('#shared/cli/table-plan.ts'),
        import('#shared/cli/table-page.ts'),
      ])
      const { lock, tables } = await planTables(name, place, { anew })
      if (tables.some(({ refused }) => refused !== null)) process.exitCode = 1
      print(json ? JSON.stringify({ lock: lock?.changes ?? [], tables }) : planPage(lock, tables))
    })
}

function addApply(group: Command): void {
  withPlace(withPipeline(group, 'apply', 'make the tables, or change them to what the pipeline declares'))
    .option('--anew', 'make a table in the place of one that is gone, to be filled from the beginning of the log')
    .addHelpText('after', examples('table apply flights --lake .lake'))
    .action(async (name: string, { anew = false, json, ...place }: Options & { readonly anew?: boolean }) => {
      const [{ openTables }, { applyPlan }, { applyPage }] = await Promise.all([
        import('#shared/cli/opened-tables.ts'),
        import('#shared/cli/table-plan.ts'),
        import('#shared/cli/table-page.ts'),
      ])
      const { surroundings, tables } = await openTables(name, place)
      const applied = []
      for (const table of tables) applied.push(await applyPlan(surroundings, table, { anew }))
      print(json ? JSON.stringify(applied) : applyPage(applied))
    })
}

function addCommit(group: Command): void {
  withPlace(
    withPipeline(group, 'commit', 'bring what the log holds into the tables; it may run at any time, and twice'),
  )
    .addHelpText('after', examples('table commit flights --lake .lake'))
    .action(async (name: string, { json, ...place }: Options) => {
      const [{ openTables }, { commitAll }, { commitPage }] = await Promise.all([
        import('#shared/cli/opened-tables.ts'),
        import('#shared/cli/table-commit.ts'),
        import('#shared/cli/table-page.ts'),
      ])
      const commits = await commitAll(await openTables(name, place))
      print(json ? JSON.stringify(commits) : commitPage(commits))
    })
}

function addHistory(group: Command): void {
  withOneTable(withPipeline(group, 'history', 'list the snapshots of a table, and what the log holds behind them'))
    .addHelpText('after', examples('table history flights --lake .lake'))
    .action(async (name: string, options: OneTable) => {
      const [{ tableHistory }, { historyPage }, { surroundings, pipeline, table }] = await Promise.all([
        import('#shared/cli/table-history.ts'),
        import('#shared/cli/table-page.ts'),
        oneTable(name, options),
      ])
      const history = await tableHistory(surroundings, table.owner)
      print(options.json ? JSON.stringify(history) : historyPage(history, pipeline.name))
    })
}

function addFiles(group: Command): void {
  withOneTable(withPipeline(group, 'files', 'list the live files of a table: partition, rows, bytes'))
    .option('--at <time|snapshot>', 'those that it had: at a time, as 2026-01-31T12:00:00Z, or at a snapshot')
    .addHelpText('after', examples('table files flights --lake .lake'))
    .action(async (name: string, options: OneTable & { readonly at?: string }) => {
      const [{ listFiles }, { requireTable }, { filesPage }, { surroundings, table }] = await Promise.all([
        import('#shared/cli/table-files-list.ts'),
        import('#shared/cli/table-history.ts'),
        import('#shared/cli/table-page.ts'),
        oneTable(name, options),
      ])
      const { metadata } = await requireTable(surroundings.tables.catalog, table.owner)
      const files = await listFiles({ ...surroundings, name: table.owner.table, metadata }, options.at)
      print(options.json ? JSON.stringify(files) : filesPage(files))
    })
}

function addRollback(group: Command): void {
  withOneTable(
    withPipeline(
      group,
      'rollback',
      'make an older snapshot the current one, with what the log had brought by then: what it has brought since enters again with the next commit',
    ),
  )
    .requiredOption('--to <snapshot>', 'its id, as history shows it')
    .addHelpText('after', examples('table rollback flights --to 2936251327083125184 --lake .lake'))
    .action(async (name: string, options: OneTable & { readonly to: string }) => {
      const [{ rollBack }, { rollbackPage }, { surroundings, pipeline, table }] = await Promise.all([
        import('#shared/cli/table-rollback.ts'),
        import('#shared/cli/table-page.ts'),
        oneTable(name, options),
      ])
      const rolledBack = await rollBack(surroundings, table.owner, options.to)
      print(options.json ? JSON.stringify(rolledBack) : rollbackPage(rolledBack, pipeline.name))
    })
}

function addAdopt(group: Command): void {
  withOneTable(
    withPipeline(group, 'adopt', 'have an empty table, that something else made, filled from the beginning of the log'),
  )
    .addHelpText('after', examples('table adopt flights --lake .lake'))
    .action(async (name: string, options: OneTable) => {
      const [{ adoptTable }, { requireTable }, { pendingEntries }, { pendingText }, { surroundings, pipeline, table }] =
        await Promise.all([
          import('#shared/lake/lake-tables.ts'),
          import('#shared/cli/table-history.ts'),
          import('#shared/lake/pending-entries.ts'),
          import('#shared/cli/table-page.ts'),
          oneTable(name, options),
        ])
      const { owner } = table
      await adoptTable(surroundings, owner)
      const { metadata } = await requireTable(surroundings.tables.catalog, owner)
      const pending = await pendingEntries(surroundings.store, owner, metadata)
      print(
        options.json
          ? JSON.stringify({ table: owner.table, tableId: metadata['table-uuid'], pending })
          : `${owner.table} (${metadata['table-uuid']}) is the table of ${pipeline.name} now. ${pendingText(pending, pipeline.name)}`,
      )
    })
}

function withPipeline(group: Command, name: string, description: string): Command {
  return group.command(name).description(description).argument('<pipeline>', 'its name, or the file that defines it')
}

function withPlace(command: Command): Command {
  return withCatalog(withLake(command)).option('--json', 'print it as JSON')
}

function withOneTable(command: Command): Command {
  return withPlace(command).option('--dead-letters', 'of the table of its dead letters, in place of that of its rows')
}

async function oneTable(name: string, { deadLetters, ...place }: OneTable) {
  const { openTables } = await import('#shared/cli/opened-tables.ts')
  const { tables, ...opened } = await openTables(name, place)
  const [rows, letters] = tables
  return { ...opened, table: deadLetters === true ? letters : rows }
}

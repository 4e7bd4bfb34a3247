import type { Command } from 'commander'
import type { InspectedEvent } from '#shared/cli/inspect.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { examples, print } from './options.ts'

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('show what MSK trigger events hold: records, offsets and gaps, times, sizes, tombstones, headers')
    .argument('<files...>', 'MSK events (.json), plain, .gz or .zst; - is standard input')
    .option('--records', 'list every record')
    .option('--json', 'print an array with an object for each event')
    .addHelpText('after', examples('inspect events/flights/tombstone.json --records'))
    .action(async (files: readonly string[], { records, json }: { records?: true; json?: true }) => {
      const [{ inspectFile }, { inspectPage }] = await Promise.all([
        import('#shared/cli/inspect.ts'),
        import('#shared/cli/inspect-page.ts'),
      ])
      const inspected: InspectedEvent[] = []
      for (const file of files) inspected.push(...(await inspectFile(file)))
      if (json) print(JSON.stringify(inspected.map((event) => asJson(event, records ?? false))))
      else print(inspected.map((event) => inspectPage(event, records ?? false)).join('\n\n\n'))
    })
}

function asJson({ summary, records }: InspectedEvent, withRecords: boolean): object {
  return withRecords ? { ...summary, records: records.map(recordAsJson) } : summary
}

function recordAsJson({ key, value, headers, ...record }: KafkaRecord): object {
  return {
    ...record,
    key: key === null ? null : Buffer.from(key).toString('base64'),
    value: value === null ? null : Buffer.from(value).toString('base64'),
    headers: headers.map((header) => ({ name: header.name, value: Buffer.from(header.value).toString('base64') })),
  }
}

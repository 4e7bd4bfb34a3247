import { recordsOf, type ValueFile } from '#shared/sources/value-file.ts'
import { mskEvent, type MskEvent } from '#shared/trigger/msk-event.ts'

/** All records of a file of values as one MSK event, however large it becomes. */
export function valueEvent(file: ValueFile, topic: string): MskEvent {
  const all = { from: 0, atMost: file.values.length }
  const partitions = Array.from({ length: file.partitions }, (_, partition) => {
    return { topic, partition, records: recordsOf(file, topic, { ...all, partition }) }
  })
  const arn = `arn:aws:kafka:local:000000000000:cluster/${file.cluster}/p${file.partitions}`
  return mskEvent({ partitions }, { eventSource: 'aws:kafka', arn, bootstrapServers: '' })
}

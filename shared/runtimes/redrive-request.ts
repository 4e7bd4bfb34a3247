import * as z from 'zod'
import { RedriveRefusedError } from './failed-batches.ts'

const Offset = z.int().min(0)

/** What the redrive function is invoked with. */
const Request = z
  .strictObject({
    /** The pipeline that the records go through again. */
    pipeline: z.string(),
    /** Which of its open dead letters are meant; all of them when it is left out. */
    where: z
      .strictObject({
        code: z.string().optional(),
        field: z.string().optional(),
        topic: z.string().optional(),
        partition: z.int32().min(0).optional(),
        from: Offset.optional(),
        to: Offset.optional(),
      })
      .refine(({ from = 0, to = from }) => from <= to, { error: 'from is greater than to' })
      .optional(),
    /** Where the trigger's failed batches wait, as `s3://bucket`: they land instead of dead letters. */
    failureDestination: z.string().min(1).optional(),
    /** The epoch that the failed batches belong to. */
    epoch: Offset.optional(),
    /** The function that the failed batches were meant for. */
    function: z.string().min(1).optional(),
    dryRun: z.boolean().default(false),
    /** The `next` of the answer before this request. */
    next: z.strictObject({ log: z.string(), commit: Offset }).nullish(),
  })
  .refine((request) => request.failureDestination !== undefined || (request.epoch ?? request.function) === undefined, {
    error: 'epoch and function say something of failed batches: they need failureDestination',
  })
  .refine((request) => request.failureDestination === undefined || (request.where ?? request.next ?? null) === null, {
    error: 'failed batches land as they are: where and next are for dead letters, without failureDestination',
  })

export type RedriveRequest = z.output<typeof Request>

/** @throws RedriveRefusedError naming the property at fault */
export function parseRedriveRequest(event: unknown): RedriveRequest {
  const request = Request.safeParse(event)
  if (request.success) return request.data
  const faults = request.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '))
  throw new RedriveRefusedError(`the event is no redrive: ${faults.join('; ')}`)
}

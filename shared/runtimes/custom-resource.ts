import { Logger } from '@aws-lambda-powertools/logger'
import type { Context } from 'aws-lambda'
import * as z from 'zod'
import { putAnswer } from './custom-resource-answer.ts'
import { invocations } from './invocation.ts'

/** What CloudFormation asks of a custom resource (CloudFormation User Guide, "Custom resource request objects"). */
const Request = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.string().min(1).optional(),
  ResourceProperties: z.record(z.string(), z.unknown()),
})
type Request = z.output<typeof Request>

/** Enough of a request to answer that it is none. */
const Addressed = z.looseObject({ ResponseURL: z.url() })

/** What is told CloudFormation (the same, "Custom resource response objects"). */
export interface ResourceAnswer {
  readonly Status: 'SUCCESS' | 'FAILED'
  readonly Reason?: string
  /** Another one than before makes CloudFormation delete what had that. */
  readonly PhysicalResourceId: string
  readonly StackId: string
  readonly RequestId: string
  readonly LogicalResourceId: string
  /** What Fn::GetAtt finds. */
  readonly Data?: Readonly<Record<string, string>>
}

/** A kind of thing that a stack can have, beside those of CloudFormation. */
export interface CustomResource<Properties> {
  /** Of its properties, as CloudFormation sends them: numbers and booleans are texts. */
  readonly properties: z.ZodType<Properties>
  /** What names the thing: it changes only when the properties mean another thing. */
  readonly idOf: (properties: Properties) => string
  /**
   * Makes the thing, or changes it until it is as the properties say. It may run twice, also at the same time.
   * @param signal aborted when nothing more is to be begun
   * @returns what Fn::GetAtt finds
   */
  readonly apply: (properties: Properties, signal: AbortSignal) => Promise<Readonly<Record<string, string>>>
}

export type CustomResourceHandler = (event: unknown, context: Context) => Promise<void>

/**
 * A Lambda handler that makes and changes what custom resources stand for, and answers CloudFormation whatever comes of it:
 * without an answer a stack hangs for an hour. Nothing is ever deleted: topics and tables hold data, and outlive their stack.
 * @throws Error when there is nobody to answer to, or the answer does not get through: Lambda invokes it again
 */
export function customResourceHandler<Properties>(
  resource: CustomResource<Properties>,
  logger = new Logger({ serviceName: 'custom-resource' }),
): CustomResourceHandler {
  const telemetry = {
    begin: (context: Context) => logger.addContext(context),
    end: () => logger.resetKeys(),
  }
  return invocations(
    () => ({ telemetry }),
    async (event, _surroundings, signal) => {
      const { url, answer } = await answerOf(resource, event, signal)
      const { Status, Reason, PhysicalResourceId, LogicalResourceId } = answer
      const told = { resource: LogicalResourceId, id: PhysicalResourceId, reason: Reason }
      if (Status === 'SUCCESS') logger.info('resource is as it should be', told)
      else logger.error('resource failed', told)
      await putAnswer(url, answer)
    },
  )
}

interface AddressedAnswer {
  readonly url: string
  readonly answer: ResourceAnswer
}

async function answerOf<Properties>(
  resource: CustomResource<Properties>,
  event: unknown,
  signal: AbortSignal,
): Promise<AddressedAnswer> {
  const parsed = Request.safeParse(event)
  if (!parsed.success) return refusal(event, parsed.error)
  const request = parsed.data
  const { ResponseURL: url, StackId, RequestId, LogicalResourceId } = request
  const echo = { StackId, RequestId, LogicalResourceId }
  try {
    const { id, data } = await inTime(settle(resource, request, signal), signal)
    return { url, answer: { Status: 'SUCCESS', PhysicalResourceId: id, ...echo, Data: data } }
  } catch (error) {
    // A change that failed has left the thing what it was; what could not be made gets a name that nothing else has.
    const PhysicalResourceId = request.PhysicalResourceId ?? `${LogicalResourceId}-${RequestId}`
    return { url, answer: { Status: 'FAILED', Reason: reasonOf(error), PhysicalResourceId, ...echo } }
  }
}

async function settle<Properties>(resource: CustomResource<Properties>, request: Request, signal: AbortSignal) {
  const { RequestType, PhysicalResourceId, LogicalResourceId, RequestId, ResourceProperties } = request
  // Whatever its properties were: what is retained does not stand in the way of a stack that is deleted.
  if (RequestType === 'Delete') return { id: PhysicalResourceId ?? `${LogicalResourceId}-${RequestId}`, data: {} }
  const parsed = resource.properties.safeParse(ResourceProperties)
  if (!parsed.success) throw new Error(`its properties are not as expected: ${faultsOf(parsed.error)}`)
  return { id: resource.idOf(parsed.data), data: await resource.apply(parsed.data, signal) }
}

/** What cannot be read is refused, as far as it says where to. @throws Error when it does not */
function refusal(event: unknown, fault: z.ZodError): AddressedAnswer {
  const addressed = Addressed.safeParse(event)
  const reason = `the request is not one of CloudFormation's: ${faultsOf(fault)}`
  if (!addressed.success) throw new Error(`${reason}. There is nobody to answer to`)
  const text = (name: string): string => {
    const value = addressed.data[name]
    return typeof value === 'string' ? value : ''
  }
  const RequestId = text('RequestId')
  const PhysicalResourceId = text('PhysicalResourceId') || `unread-${RequestId}`
  const [StackId, LogicalResourceId] = [text('StackId'), text('LogicalResourceId')]
  const answer = {
    Status: 'FAILED',
    Reason: reason,
    PhysicalResourceId,
    StackId,
    RequestId,
    LogicalResourceId,
  } as const
  return { url: addressed.data.ResponseURL, answer }
}

/** What is left of the function's time is for the answer. */
async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const onLate = () =>
    reject(new Error('the function has no more time. What it has done stays, and the next deployment goes on with it'))
  if (signal.aborted) onLate()
  else signal.addEventListener('abort', onLate)
  try {
    return await Promise.race([work, late])
  } finally {
    signal.removeEventListener('abort', onLate)
  }
}

function faultsOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`).join('; ')
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

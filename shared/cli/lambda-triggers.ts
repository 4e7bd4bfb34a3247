import {
  GetEventSourceMappingCommand,
  LambdaClient,
  type LambdaClientConfig,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'

/** A trigger of a function: an event source mapping. */
export interface FunctionTrigger {
  readonly id: string
  readonly topics: readonly string[]
  /** Enabled, Disabled, or on the way: Enabling, Disabling, Creating, Updating, Deleting. */
  readonly state: string
}

/** The triggers of Lambda functions. Everything throws TriggerError. */
export interface FunctionTriggers {
  of(functionName: string): Promise<readonly FunctionTrigger[]>
  stateOf(id: string): Promise<string>
  /** @returns whether it was taken: a trigger that is being changed takes no other change */
  switch(id: string, enabled: boolean): Promise<boolean>
}

/** What Lambda did not do, and what to do about it. */
export class TriggerError extends Error {
  override readonly name = 'TriggerError'
}

const ADVICE: Readonly<Record<string, string>> = {
  CredentialsProviderError: 'there are no credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  AccessDeniedException:
    'these credentials may not do that: they need lambda:ListEventSourceMappings, lambda:GetEventSourceMapping and lambda:UpdateEventSourceMapping',
  UnrecognizedClientException: 'AWS does not know these credentials',
  InvalidSignatureException: 'AWS does not know these credentials',
  ExpiredTokenException: 'these credentials have expired: log in again',
  ResourceNotFoundException: 'there is no such function: check the stage, the region (AWS_REGION) and the account',
}
const BUSY = new Set(['ResourceInUseException', 'ResourceConflictException'])

/** By default with region, endpoint and credentials from the environment. */
export function openFunctionTriggers(config: LambdaClientConfig = {}): FunctionTriggers {
  const client = new LambdaClient(config)
  return {
    async of(FunctionName) {
      const triggers: FunctionTrigger[] = []
      let Marker: string | undefined
      do {
        const request = new ListEventSourceMappingsCommand({ FunctionName, Marker })
        const page = await attempt(() => client.send(request), `cannot list the triggers of ${FunctionName}`)
        for (const { UUID = '', Topics = [], State = '' } of page.EventSourceMappings ?? [])
          triggers.push({ id: UUID, topics: Topics, state: State })
        Marker = page.NextMarker === '' ? undefined : page.NextMarker
      } while (Marker !== undefined)
      return triggers
    },
    async stateOf(UUID) {
      const request = new GetEventSourceMappingCommand({ UUID })
      const { State = '' } = await attempt(() => client.send(request), `cannot look at the trigger ${UUID}`)
      return State
    },
    async switch(UUID, Enabled) {
      try {
        await client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled }))
        return true
      } catch (error) {
        if (error instanceof Error && BUSY.has(error.name)) return false
        throw triggerError(error, `cannot change the trigger ${UUID}`)
      }
    },
  }
}

async function attempt<T>(operation: () => Promise<T>, cannot: string): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    throw triggerError(error, cannot)
  }
}

function triggerError(error: unknown, cannot: string): TriggerError {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) }
  const advice = ADVICE[name] ?? (/region is missing/i.test(message) ? 'set AWS_REGION' : undefined)
  return new TriggerError(`${cannot}: ${message || name}${advice === undefined ? '' : ` (${advice})`}`)
}

import { setTimeout as sleep } from 'node:timers/promises'
import { type FunctionTriggers, TriggerError } from './lambda-triggers.ts'

export type Wish = 'pause' | 'resume'

/** A trigger that is as it was asked for. */
export interface SwitchedTrigger {
  readonly id: string
  readonly topics: readonly string[]
  /** What it was before. */
  readonly was: string
  readonly is: string
}

export interface SwitchOptions {
  readonly now: () => number
  readonly pollMs: number
  /** How long it is waited in all. */
  readonly withinMs: number
  /** Told of each state that is not the last one. */
  readonly onState: (id: string, state: string) => void
}

const SETTLED = { pause: 'Disabled', resume: 'Enabled' } as const
/** On the way there already: nothing has to be asked for. */
const COMING = { pause: 'Disabling', resume: 'Enabling' } as const

/**
 * Pauses or resumes all triggers of a function, and waits until they are. A paused trigger keeps its place in the topic: what
 * arrives meanwhile is delivered when it is resumed, as far as the topic keeps it. Doing it twice changes nothing.
 * @throws TriggerError when there is no such function or trigger, or it takes too long
 */
export async function switchTriggers(
  triggers: FunctionTriggers,
  functionName: string,
  wish: Wish,
  options: SwitchOptions,
): Promise<readonly SwitchedTrigger[]> {
  const found = await triggers.of(functionName)
  if (found.length === 0) throw new TriggerError(`${functionName} has no trigger: is it deployed?`)
  const end = options.now() + options.withinMs
  const switched: SwitchedTrigger[] = []
  for (const { id, topics, state } of found) {
    const is = await switchOne(triggers, id, state, wish, { ...options, end })
    switched.push({ id, topics, was: state, is })
  }
  return switched
}

/** What has been asked for is asked for again only when the trigger shows no sign of it. */
async function switchOne(
  triggers: FunctionTriggers,
  id: string,
  first: string,
  wish: Wish,
  { now, pollMs, end, onState }: SwitchOptions & { readonly end: number },
): Promise<string> {
  let isTaken = false
  for (let state = first; ; state = await triggers.stateOf(id)) {
    if (state === SETTLED[wish]) return state
    if (state === 'Deleting') throw new TriggerError(`the trigger ${id} is being deleted`)
    onState(id, state)
    // From another change, as of a deployment, it comes back to either state.
    const isSettledOtherwise = state === SETTLED[wish === 'pause' ? 'resume' : 'pause']
    if (state !== COMING[wish] && (!isTaken || isSettledOtherwise))
      isTaken = await triggers.switch(id, wish === 'resume')
    if (now() + pollMs > end)
      throw new TriggerError(
        `the trigger ${id} is still ${state}: Lambda goes on with it; call ${wish} again to wait for it`,
      )
    await sleep(pollMs)
  }
}

/** For people. */
export function switchedPage(functionName: string, switched: readonly SwitchedTrigger[]): string {
  return switched
    .map(({ id, topics, was, is }) => {
      const how = was === is ? `was ${is} already` : `is ${is}`
      return `The trigger of ${functionName} for ${topics.join(', ')} (${id}) ${how}.`
    })
    .join('\n')
}

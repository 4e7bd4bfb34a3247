import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { flights } from '#functions/flights/pipeline.ts'
import { compileFlow, type Flow } from '#shared/pipeline/flow.ts'
import { github, githubEvents } from '#test/helpers/github-events.ts'
import { EVERYTHING, everything } from './everything.ts'

/** A pipeline, and events that it takes. */
export interface Subject {
  readonly flow: Flow
  readonly samples: readonly string[]
}

const JANUARY = new URL('../../events/flights/2013-01.ndjson.gz', import.meta.url)
/** Of larger events fewer fit into a second. */
const MAX_SAMPLE = 20_000

/** What is fuzzed, by the name of the pipeline; GitHub's events only where they are there. */
export function subjects(): Map<string, Subject> {
  const january = gunzipSync(readFileSync(JANUARY)).toString('utf8').trimEnd().split('\n')
  const hour = (githubEvents() ?? []).filter((event) => event.length <= MAX_SAMPLE)
  const all = [
    { flow: compileFlow(everything), samples: EVERYTHING },
    { flow: compileFlow(flights), samples: january },
    { flow: compileFlow(github), samples: hour },
  ]
  return new Map(
    all.filter(({ samples }) => samples.length > 0).map((subject) => [subject.flow.pipeline.name, subject]),
  )
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { ResourceAnswer } from './custom-resource.ts'

/** All of the body that CloudFormation reads. */
const MAX_BYTES = 4096
const ATTEMPTS = 4
const ATTEMPT_MS = 3000
const FIRST_PAUSE_MS = 200

/**
 * Puts an answer where CloudFormation waits for it: an object of S3, at a URL that is signed for a put without a content type.
 * @throws Error when it does not get through
 */
export async function putAnswer(url: string, answer: ResourceAnswer): Promise<void> {
  const body = bodyOf(answer)
  for (let attempt = 1; ; attempt++) {
    const failure = await put(url, body)
    if (failure === null) return
    // The URL is a secret: who has it can answer too.
    if (attempt === ATTEMPTS || !failure.canRetry)
      throw new Error(`the answer for ${answer.LogicalResourceId} did not get through: ${failure.reason}`)
    await sleep(FIRST_PAUSE_MS * 2 ** attempt * (0.5 + Math.random() / 2))
  }
}

async function put(url: string, body: Uint8Array<ArrayBuffer>): Promise<{ reason: string; canRetry: boolean } | null> {
  try {
    // Of bytes `fetch` does not say what they are, as it does of a text.
    const response = await fetch(url, { method: 'PUT', body, signal: AbortSignal.timeout(ATTEMPT_MS) })
    await response.body?.cancel()
    if (response.ok) return null
    const canRetry = response.status >= 500 || [408, 409, 429].includes(response.status)
    return { reason: `HTTP ${response.status}`, canRetry }
  } catch (error) {
    const { message, cause } = error as Error
    return { reason: cause instanceof Error ? cause.message : message, canRetry: true }
  }
}

/** A reason that is too long loses its end. */
function bodyOf(answer: ResourceAnswer): Uint8Array<ArrayBuffer> {
  let { Reason: reason } = answer
  for (;;) {
    const shown = reason === undefined ? answer : { ...answer, Reason: reason }
    const bytes = new TextEncoder().encode(JSON.stringify(shown))
    if (bytes.length <= MAX_BYTES || reason === undefined || reason === '…') return bytes
    reason = `${reason.slice(0, Math.floor(reason.length * 0.9) - 1).toWellFormed()}…`
  }
}

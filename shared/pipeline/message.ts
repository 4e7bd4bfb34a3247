/** What messages are made of: short, well-formed text, for they become columns of dead letters. */

const MAX_THROWN = 300

/** Cut between characters, never within a surrogate pair. */
export function shortened(text: string, length: number): string {
  if (text.length <= length) return text
  const end = /[\ud800-\udbff]/.test(text.charAt(length - 1)) ? length - 1 : length
  return `${text.slice(0, end)}…`
}

/**
 * What code of the pipeline's owner threw, as `RangeError: no such act`; it may be anything.
 * @param quiet for what may quote data that is not to be told: then only the kind of error is
 */
export function thrownText(thrown: unknown, quiet: boolean): string {
  try {
    if (!(thrown instanceof Error)) return quiet ? typeof thrown : textOf(typeof thrown, String(thrown))
    return quiet ? className(thrown) : textOf(thrown.name, thrown.message)
  } catch {
    return 'something that has no text'
  }
}

/** Halves of surrogate pairs, which no column can hold, are replaced. */
function textOf(kind: string, reason: string): string {
  return shortened(`${kind}: ${reason}`, MAX_THROWN).toWellFormed()
}

/** The name of an error's class stands in the source; `name` may be set to anything. */
function className(error: Error): string {
  const { constructor } = Object.getPrototypeOf(error) as { readonly constructor: unknown }
  return typeof constructor === 'function' ? constructor.name : 'Error'
}

import type { Json } from './cloudformation.ts'

/** Something that was asked of a service. */
export interface AskedFor {
  readonly action: string
  /** ARN. */
  readonly resource: string
  /** Of a list of a bucket. */
  readonly prefix?: string
}

/** A statement of a role's policy, its functions resolved. */
export interface Grant {
  readonly Sid: string
  readonly Action: readonly string[]
  readonly Resource: string | readonly string[]
  readonly Condition?: { readonly StringLikeIfExists?: { readonly 's3:prefix': readonly string[] } }
}

/** The statements of a role, as `resourceProperties` resolves it. */
export function grantsOf(role: Json): readonly Grant[] {
  const { Policies } = role as unknown as {
    Policies: readonly { PolicyDocument: { Statement: readonly Grant[] } }[]
  }
  return Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
}

/** What of it no statement allows, as IAM would decide. */
export function denied(asked: readonly AskedFor[], grants: readonly Grant[]): AskedFor[] {
  return asked.filter((request) => !grants.some((grant) => parts(grant).some((part) => allows(part, request))))
}

/** Each action on each resource that is allowed and that nothing asked for. */
export function unused(asked: readonly AskedFor[], grants: readonly Grant[]): string[] {
  return grants
    .flatMap(parts)
    .filter((part) => !asked.some((request) => allows(part, request)))
    .map(({ Action, Resource, prefix }) => [Action, Resource, prefix].filter(Boolean).join(' '))
}

/** One action on one resource, and of lists one prefix. */
interface Part {
  readonly Action: string
  readonly Resource: string
  readonly prefix: string | undefined
}

function parts({ Action, Resource, Condition }: Grant): Part[] {
  const prefixes = Condition?.StringLikeIfExists?.['s3:prefix'] ?? [undefined]
  return Action.flatMap((action) =>
    [Resource].flat().flatMap((resource) => prefixes.map((prefix) => ({ Action: action, Resource: resource, prefix }))),
  )
}

function allows({ Action, Resource, prefix }: Part, request: AskedFor): boolean {
  if (Action !== request.action || !isLike(request.resource, Resource)) return false
  return prefix === undefined || request.prefix === undefined || isLike(request.prefix, prefix)
}

function isLike(text: string, pattern: string): boolean {
  const escaped = pattern.split('*').map((part) => part.replaceAll(/[^\w/]/g, (sign) => `\\${sign}`))
  return new RegExp(`^${escaped.join('.*')}$`, 's').test(text)
}

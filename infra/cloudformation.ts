/** What CloudFormation takes, as JSON. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value }

export interface Resource {
  readonly Type: string
  readonly DependsOn?: readonly string[]
  readonly DeletionPolicy?: 'Retain'
  readonly UpdateReplacePolicy?: 'Retain'
  readonly Metadata?: { readonly [key: string]: Value }
  readonly Properties: { readonly [key: string]: Value }
}

/** By logical id. */
export type Resources = Readonly<Record<string, Resource>>

/** @param id logical, as are all here */
export function ref(id: string): Value {
  return { Ref: id }
}

export function attribute(id: string, name: string): Value {
  return { 'Fn::GetAtt': [id, name] }
}

/** @param text with `${Resource}`, `${Resource.Attribute}` and `${AWS::Region}` in it */
export function sub(text: string): Value {
  return { 'Fn::Sub': text }
}

/** Why a scanner's rule does not apply to a resource, beside the resource. */
export function exempt(reasons: Readonly<Record<string, string>>): { readonly [key: string]: Value } {
  return { checkov: { skip: Object.entries(reasons).map(([id, comment]) => ({ id, comment })) } }
}

/**
 * The logical id of what belongs to a function, as the Serverless Framework makes one of its name: `late-flights` →
 * `LateDashflights`. Two names never become one.
 */
export function logicalId(functionName: string, what = ''): string {
  const id = functionName.replaceAll('-', 'Dash')
  return `${id.charAt(0).toUpperCase()}${id.slice(1)}${what}`
}

/** A CloudFormation template, as far as checks look at it. */
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>
}

export interface Resource {
  readonly Type: string
  readonly Properties?: Properties
}

export type Properties = Readonly<Record<string, unknown>>

/** The resources of a type by their logical ids. */
export function resourcesOf({ Resources }: Template, type: string): ReadonlyMap<string, Properties> {
  const found = Object.entries(Resources).filter(([, { Type }]) => Type === type)
  return new Map(found.map(([id, { Properties = {} }]) => [id, Properties]))
}

/** Whether CloudFormation takes two values for the same: the order of keys says nothing. */
export function isSame(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other)
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? 'undefined'
  )
}

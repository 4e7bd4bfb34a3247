/** A template as JSON has it: `!Sub` is `{ "Fn::Sub": … }`. */
export type Template = Readonly<Record<'Parameters' | 'Conditions' | 'Mappings' | 'Resources', Json | undefined>>
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** What CloudFormation knows by itself. */
const PSEUDO = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'us-east-1',
  'AWS::AccountId': '123456789012',
  'AWS::StackName': 'inlet',
}

/**
 * The properties of a resource as CloudFormation would send them with these parameters. What only a deployment knows, a
 * resource's attributes, stays as `Resource.Attribute`.
 * @throws Error for a parameter that has no value, and for a function that is not known here
 */
export function resourceProperties(
  template: Template,
  resource: string,
  parameters: Readonly<Record<string, string>>,
): Json {
  const scope = new Scope(template, parameters)
  return scope.resolve(at(template.Resources, resource, 'Properties')) ?? null
}

class Scope {
  readonly #template: Template
  readonly #parameters: Readonly<Record<string, string>>

  constructor(template: Template, parameters: Readonly<Record<string, string>>) {
    this.#template = template
    this.#parameters = { ...PSEUDO, ...parameters }
  }

  /** Nothing stands for what `AWS::NoValue` takes away. */
  resolve(node: Json): Json | undefined {
    if (isList(node)) return node.map((item) => this.resolve(item)).filter((item) => item !== undefined)
    if (typeof node !== 'object' || node === null) return node
    const entries = Object.entries(node)
    const [name = '', argument = null] = entries[0] ?? []
    if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::'))) return this.#call(name, argument)
    const resolved = entries.map(([key, value]) => [key, this.resolve(value)] as const)
    return Object.fromEntries(resolved.filter((entry): entry is [string, Json] => entry[1] !== undefined))
  }

  #call(name: string, argument: Json): Json | undefined {
    switch (name) {
      case 'Ref':
        return argument === 'AWS::NoValue' ? undefined : this.#value(String(argument))
      case 'Fn::Sub':
        return String(argument).replaceAll(/\$\{(?<of>[^}]+)\}/g, (_, of: string) =>
          of.includes('.') ? of : this.#value(of),
        )
      case 'Fn::GetAtt':
        return isList(argument) ? argument.join('.') : argument
      case 'Fn::If': {
        const [condition, yes = null, no = null] = argument as readonly Json[]
        return this.resolve(this.#holds(String(condition)) ? yes : no)
      }
    }
    const [first = null, second = null, third = null] = (this.resolve(argument) ?? []) as readonly Json[]
    switch (name) {
      case 'Fn::Join':
        return (second as readonly string[]).join(String(first))
      case 'Fn::Split':
        return String(second).split(String(first))
      case 'Fn::FindInMap':
        return at(this.#template.Mappings, String(first), String(second), String(third))
      case 'Fn::Equals':
        return first === second
      default:
        throw new Error(`${name} is not known here`)
    }
  }

  #holds(condition: string): boolean {
    return this.resolve(at(this.#template.Conditions, condition)) === true
  }

  #value(name: string): string {
    const given = this.#parameters[name]
    if (given !== undefined) return given
    if (name in ((this.#template.Resources ?? {}) as object)) return name
    return String(at(this.#template.Parameters, name, 'Default'))
  }
}

const isList = (node: Json): node is readonly Json[] => Array.isArray(node)

function at(node: Json | undefined, ...path: readonly string[]): Json {
  let found = node
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !(key in found)) throw new Error(`no ${path.join('.')}`)
    found = (found as { readonly [key: string]: Json })[key]
  }
  return found ?? null
}

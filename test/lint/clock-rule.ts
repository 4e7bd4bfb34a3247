/** The parts of a syntax tree (ESTree) that the rule looks at. */
interface NewExpression {
  readonly callee: { readonly type: string; readonly name?: string }
  readonly arguments: readonly unknown[]
}

interface RuleContext {
  report(problem: { node: unknown; message: string }): void
}

/**
 * Refuses `new Date()`, which reads the clock; `new Date(value)` does not, and `no-restricted-globals` cannot tell the two
 * apart. (`Date()` without `new` is refused by `new-for-builtins`.)
 */
const noClock = {
  create(context: RuleContext) {
    return {
      NewExpression(node: NewExpression) {
        if (node.callee.name === 'Date' && node.arguments.length === 0)
          context.report({ node, message: 'new Date() reads the clock: take the time as an argument' })
      },
    }
  },
}

export default { meta: { name: 'inlet' }, rules: { 'no-clock': noClock } }

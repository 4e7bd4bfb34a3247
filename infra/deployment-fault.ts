/** Something that must not be deployed, why, and what to do instead. */
export interface DeploymentFault {
  readonly kind: string
  /** The pipeline, or the logical id of the resource. */
  readonly of: string
  readonly reason: string
  readonly wayOut: string
  /** Whether it can be deployed nevertheless, by somebody who names it: `kind:of`. */
  readonly canAllow: boolean
}

/** A fault that nothing makes safe. */
export function unsafe(kind: string, of: string, reason: string, wayOut: string): DeploymentFault {
  return { kind, of, reason, wayOut, canAllow: false }
}

/** A fault that may be meant. */
export function meant(kind: string, of: string, reason: string, wayOut: string): DeploymentFault {
  return { kind, of, reason, wayOut: `${wayOut}. If it is meant, allow ${kind}:${of}`, canAllow: true }
}

import path from 'node:path'
import * as z from 'zod'
import type { User } from './logins.ts'

/** The ways into a broker of a local cluster, as MSK offers them; CONTROLLER is for brokers among themselves. */
export const LISTENERS = ['PLAINTEXT', 'TLS', 'SCRAM', 'OAUTH', 'CONTROLLER'] as const
export type Listener = (typeof LISTENERS)[number]

const Port = z.int().min(1).max(65_535)
const Broker = z.object({
  id: z.int().min(1),
  ports: z.object({ PLAINTEXT: Port, TLS: Port, SCRAM: Port, OAUTH: Port, CONTROLLER: Port }),
})
const Layout = z.object({ clusterId: z.string().min(1), tls: z.boolean(), brokers: z.array(Broker).min(1) })

/** What a local cluster consists of. */
export type ClusterLayout = Readonly<z.output<typeof Layout>>
export type BrokerLayout = ClusterLayout['brokers'][number]

/** @throws ZodError when the text is not what we have written */
export function parseLayout(text: string): ClusterLayout {
  return Layout.parse(JSON.parse(text))
}

/** `127.0.0.1:port` of every broker: clients go on with the others when one is down. */
export function bootstrap({ brokers }: ClusterLayout, listener: Listener): string {
  return brokers.map(({ ports }) => `127.0.0.1:${ports[listener]}`).join(',')
}

/** The files of a local cluster. */
export class ClusterFolder {
  readonly path: string

  /** @param folder may be relative to the working directory */
  constructor(folder: string) {
    this.path = path.resolve(folder)
  }

  get layout(): string {
    return path.join(this.path, 'cluster.json')
  }

  /** The certificate (PEM) that clients trust. */
  get ca(): string {
    return path.join(this.path, 'ca.pem')
  }

  /** Key and certificate of the brokers (PKCS12). */
  get keystore(): string {
    return path.join(this.path, 'broker.p12')
  }

  get logging(): string {
    return path.join(this.path, 'log4j2.properties')
  }

  password(user: User): string {
    return path.join(this.path, `${user}.password`)
  }

  token(user: User): string {
    return path.join(this.path, `${user}.token`)
  }

  get lock(): string {
    return path.join(this.path, 'lock')
  }

  /** Of one broker. */
  broker(id: number): { folder: string; properties: string; data: string; pid: string; log: string } {
    const folder = path.join(this.path, `broker-${id}`)
    return {
      folder,
      properties: path.join(folder, 'server.properties'),
      data: path.join(folder, 'data'),
      pid: path.join(folder, 'pid'),
      log: path.join(folder, 'server.log'),
    }
  }
}

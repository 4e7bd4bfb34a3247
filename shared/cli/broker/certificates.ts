import { rm } from 'node:fs/promises'
import type { ClusterFolder } from './cluster-layout.ts'
import { requireCommand } from './java.ts'
import { KEYSTORE_PASSWORD } from './server-properties.ts'

const DAYS = '3650'

/**
 * Makes a certification authority of the cluster's own and a certificate for its brokers, with Java's keytool, which is
 * there wherever Java is. The authority's key is thrown away at once: nobody can sign anything else with it.
 * @throws Error with what keytool says
 */
export async function makeCertificates(folder: ClusterFolder): Promise<void> {
  await rm(folder.keystore, { force: true })
  const store = ['-keystore', folder.keystore, '-storetype', 'PKCS12', '-storepass', KEYSTORE_PASSWORD, '-noprompt']
  const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', DAYS]
  const authority = ['-alias', 'authority', '-dname', 'CN=Local Kafka of Inlet', '-ext', 'bc:critical=ca:true']
  const broker = ['-alias', 'broker', '-dname', 'CN=localhost', '-ext', 'san=dns:localhost,ip:127.0.0.1']
  const keytool = (...args: readonly string[]): Promise<unknown> => requireCommand('keytool', [...args, ...store])
  await keytool('-genkeypair', ...key, ...authority)
  await keytool('-genkeypair', ...key, ...broker, '-signer', 'authority')
  await keytool('-exportcert', '-rfc', '-alias', 'authority', '-file', folder.ca)
  await keytool('-delete', '-alias', 'authority')
}

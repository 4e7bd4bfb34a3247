import { readFileSync } from 'node:fs'
import type { Plugin } from 'esbuild'
import { leftOut } from './left-out.ts'

/**
 * What the bundler cannot see by itself, so that it leaves out what no function uses. What is left in does what it did.
 */
export default [literalNames(), kafkaWithoutEffects(), leftOut()]

/**
 * A client of the AWS SDK describes all operations of its service in one module, in objects like `{ [_hH]: … }` with
 * `const _hH = "httpHeader"`. To the bundler a computed name may have an effect, so that it keeps every one of them. Written out,
 * as `{ "httpHeader": … }`, it keeps those of the commands that are imported.
 */
function literalNames(): Plugin {
  return {
    name: 'literal-names',
    setup: (build) => {
      build.onLoad({ filter: /[\\/]schemas[\\/]schemas_\d+\.js$/ }, ({ path }) => {
        const source = readFileSync(path, 'utf8')
        const constants = source.matchAll(/^const (?<name>_\w*) = (?<text>"[^"\\]*");$/gm)
        const texts = new Map([...constants].map(({ groups }) => [groups?.['name'], groups?.['text']]))
        const contents = source.replaceAll(/\[(?<name>_\w*)\](?=:)/g, (key, name: string) => texts.get(name) ?? key)
        return { contents, loader: 'js' }
      })
    },
  }
}

const KAFKA = '@platformatic/kafka'

/**
 * The Kafka client is one package of admin, consumer, producer and schema registries (with Avro), and does not say that a
 * module of it that nobody imports from can be left out. None of them does anything but define what it exports.
 */
function kafkaWithoutEffects(): Plugin {
  return {
    name: 'kafka-without-effects',
    setup: (build) => {
      build.onResolve({ filter: /^\.|^@platformatic\/kafka$/ }, async ({ path, pluginData, ...from }) => {
        const isOfClient = path === KAFKA || from.importer.replaceAll('\\', '/').includes(`node_modules/${KAFKA}/`)
        if (!isOfClient || pluginData === KAFKA) return null
        const { kind, importer, resolveDir, namespace } = from
        const found = await build.resolve(path, { kind, importer, resolveDir, namespace, pluginData: KAFKA })
        return found.errors.length > 0 ? { errors: found.errors } : { path: found.path, sideEffects: false }
      })
    },
  }
}

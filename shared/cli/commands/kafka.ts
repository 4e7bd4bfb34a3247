import process from 'node:process'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { LOGINS, type Login, USERS, type User } from '#shared/cli/broker/logins.ts'
import { UsageError } from '#shared/cli/failure.ts'
import { examples, print } from './options.ts'

interface Options {
  readonly dir: string
  readonly json?: true
}

export function addKafka(program: Command): void {
  const group = program
    .command('kafka')
    .description('a Kafka of your own on this machine, as MSK would be: to try things out, and to test against')
  addUp(group)
  addDown(group)
  addStatus(group)
  addEnv(group)
}

function addUp(group: Command): void {
  withFolder(
    group
      .command('up')
      .description(
        'start it, on free ports of 127.0.0.1, and wait until it serves; it goes on after the command. Needs Java 17 or newer and, the first time, Maven.',
      ),
  )
    .option(
      '--brokers <n>',
      'how many, 1 or 3; three keep every record three times and survive the loss of one (default: 1)',
      oneOrThree,
    )
    .option('--tls', 'offer TLS, SASL/SCRAM-SHA-512 and SASL/OAUTHBEARER too, and check permissions there')
    .option('--json', 'print the addresses as JSON')
    .addHelpText('after', examples('kafka up', 'kafka up --brokers 3 --tls'))
    .action(async ({ dir, json, ...wish }: Options & { readonly brokers?: 1 | 3; readonly tls?: true }) => {
      const [{ startCluster }, { upPage, statusJson }] = await Promise.all([
        import('#shared/cli/broker/local-cluster.ts'),
        import('#shared/cli/broker/cluster-page.ts'),
      ])
      const { started, ...status } = await startCluster(dir, wish, say)
      print(json ? JSON.stringify({ ...statusJson(status), started }) : upPage(status, started))
    })
}

function addDown(group: Command): void {
  withFolder(group.command('down').description('stop it; its topics are there again with the next up'))
    .option('--purge', 'delete it with all its data')
    .option('--json', 'print which brokers were stopped as JSON')
    .addHelpText('after', examples('kafka down', 'kafka down --purge'))
    .action(async ({ dir, json, purge = false }: Options & { readonly purge?: boolean }) => {
      const { stopCluster } = await import('#shared/cli/broker/local-cluster.ts')
      const stopped = await stopCluster(dir, purge)
      const text = stopped.length === 0 ? 'No broker was running.' : `Stopped: broker ${stopped.join(', ')}.`
      print(json ? JSON.stringify({ stopped, purged: purge }) : `${text}${purge ? ' Its data is deleted.' : ''}`)
    })
}

function addStatus(group: Command): void {
  withFolder(group.command('status').description('show what runs, and where; exit code 1 when a broker is not running'))
    .option('--json', 'print it as JSON')
    .addHelpText('after', examples('kafka status'))
    .action(async ({ dir, json }: Options) => {
      const [{ clusterStatus }, { statusPage, statusJson }] = await Promise.all([
        import('#shared/cli/broker/local-cluster.ts'),
        import('#shared/cli/broker/cluster-page.ts'),
      ])
      const status = await clusterStatus(dir)
      if (status.layout === null || status.brokers.some(({ pid }) => pid === null)) process.exitCode = 1
      print(json ? JSON.stringify(statusJson(status)) : statusPage(status))
    })
}

function addEnv(group: Command): void {
  withFolder(
    group
      .command('env')
      .description(`print what connects the other commands to it: eval "$(npm run -s inlet -- kafka env)"`),
  )
    .addOption(new Option('--login <how>', 'how to log in').choices(LOGINS).default('none'))
    .addOption(
      new Option('--user <name>', 'for scram and oauthbearer: inlet may do everything, stranger nothing')
        .choices(USERS)
        .default('inlet'),
    )
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      examples('kafka env', 'kafka env --login scram', 'kafka env --login oauthbearer --user stranger'),
    )
    .action(async ({ dir, json, login, user }: Options & { readonly login: Login; readonly user: User }) => {
      const [{ clusterStatus, writeToken }, { clusterEnvironment, environmentLines }] = await Promise.all([
        import('#shared/cli/broker/local-cluster.ts'),
        import('#shared/cli/broker/cluster-page.ts'),
      ])
      const { folder, layout } = await clusterStatus(dir)
      if (layout === null) throw new UsageError(`no cluster in ${folder.path}: kafka up makes one`)
      if (login !== 'none' && !layout.tls)
        throw new UsageError(`the cluster in ${folder.path} has no TLS: kafka down --purge, then kafka up --tls`)
      if (login === 'oauthbearer') await writeToken(folder, user, Date.now())
      const environment = clusterEnvironment(folder, layout, login, user)
      print(json ? JSON.stringify(environment) : environmentLines(environment))
    })
}

function withFolder(command: Command): Command {
  return command.option('--dir <folder>', 'where its settings and data are', '.kafka')
}

function oneOrThree(text: string): 1 | 3 {
  if (text === '1') return 1
  if (text === '3') return 3
  throw new InvalidArgumentError('Expected 1 or 3.')
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)

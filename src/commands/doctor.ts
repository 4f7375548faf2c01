import {Args, Flags} from '@oclif/core'
import {BaseCommand} from '../cli/base-command.ts'
import {runChecks} from '../cli/doctor/checks.ts'
import type {Checked} from '../cli/doctor/checks.ts'
import {machineChecks} from '../cli/doctor/machine-checks.ts'
import {openPatient} from '../cli/doctor/patient.ts'
import type {PolicyLevel} from '../cli/doctor/patient.ts'
import {planChecks} from '../cli/doctor/plan-checks.ts'
import {checkedToJson, describeChecked, describeSkipped} from '../cli/doctor/words.ts'
import {statusOf} from '../cli/exit-codes.ts'
import {connectionFlags, stateFlags} from '../cli/flags.ts'
import {watchInterrupts} from '../cli/interrupts.ts'
import {targetArgument} from '../cli/target-argument.ts'
import {failureToJson} from '../cli/tell-failure.ts'
import {createWire} from '../cli/wire.ts'
import {Failure, isFailure} from '../core/failure.ts'
import {parseTarget} from '../core/target.ts'

export default class Doctor extends BaseCommand {
  static override summary = 'Look for what keeps uploads from working, from this machine to the store.'
  static override description = `Without a target it looks at this machine alone. Nothing is written: a right is tried by a request that must fail for another reason in the end, such as a PUT with a wrong checksum, which only whoever may write is told. --write writes one small object and one part, and drops them again.
✓ is well, ✗ is not, – could not be told or is not needed. The exit status is that of the first ✗.
--policy prints what whoever uploads to the target must be allowed and nothing more: an IAM policy, or the ACLs of Swift.`

  static override args = {
    target: Args.string({description: 'container, prefix or object; or a remote alone, as s3://', ignoreStdin: true}),
  }

  static override examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor s3://artifacts/nightly/',
    '<%= config.bin %> doctor sandbox://try --write',
    '<%= config.bin %> doctor s3://artifacts/nightly/ --policy --rights resume > policy.json',
  ]

  static override flags = {
    write: Flags.boolean({description: 'also write one small object and one part, and drop them again'}),
    policy: Flags.boolean({description: 'print the least that uploading to the target needs, and check nothing'}),
    rights: Flags.string({
      description: 'for --policy: upload alone; going on after a break and dropping too; or listing and verifying too',
      options: ['upload', 'resume', 'all'],
      dependsOn: ['policy'],
    }),
    ...connectionFlags,
    ...stateFlags,
  }

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(Doctor)
    const interrupts = watchInterrupts()
    const call = {signal: interrupts.signal}
    const config = this.config
    const open = async (text: string) => openPatient(parseTarget(text), flags, {config, wire: createWire(flags), call})
    try {
      if (flags.policy) {
        const {probe, target} = await open(formatContainer(args.target))
        return this.tellPolicy(probe.writePolicy(target, (flags.rights as PolicyLevel | undefined) ?? 'upload'))
      }
      const checks = [...machineChecks(config, flags['state-dir'])]
      if (args.target !== undefined) {
        const target = parseTarget(args.target)
        const opened = await open(args.target).catch((error: unknown) => {
          if (isFailure(error)) return error
          throw error
        })
        checks.push(...planChecks(target, opened, flags.write))
      }
      return await this.tellChecks(runChecks(checks, call.signal), args.target === undefined)
    } finally {
      interrupts.stop()
    }
  }

  private tellPolicy({text, notes}: {readonly text: string; readonly notes: readonly string[]}): unknown {
    this.tellAside(notes)
    if (!this.jsonEnabled()) this.log(text)
    return {ok: true, policy: text, notes}
  }

  /** A line as soon as it is known: the next check may take its time. */
  private async tellChecks(checks: AsyncIterable<Checked>, isMachineAlone: boolean): Promise<unknown> {
    const all: Checked[] = []
    for await (const checked of checks) {
      all.push(checked)
      if (!this.jsonEnabled() && checked.status !== 'skipped') this.log(describeChecked(checked))
    }
    const skipped = all.filter(({status}) => status === 'skipped').map(({name}) => name)
    if (!this.jsonEnabled() && skipped.length > 0) this.log(describeSkipped(skipped))
    const failures = all.flatMap(checked => (checked.status === 'failed' ? [checked.failure] : []))
    const [first] = failures
    const document = {ok: first === undefined, checks: all.map(checkedToJson)}
    if (first === undefined) {
      if (isMachineAlone) this.tellAside(['Name a target to look at a store too: skylift doctor s3://CONTAINER'])
      return document
    }
    if (this.jsonEnabled()) this.logJson({...document, failures: failures.map(failureToJson)})
    return this.exit(statusOf([first.code]))
  }
}

function formatContainer(text: string | undefined): string {
  if (text === undefined) throw new Failure('usage', '--policy needs a target.')
  targetArgument(text, 'container')
  return text
}

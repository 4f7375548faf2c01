import {Args, Flags} from '@oclif/core'
import {BaseCommand} from '../cli/base-command.ts'
import {connectionFlags, stateFlags} from '../cli/flags.ts'
import {watchInterrupts} from '../cli/interrupts.ts'
import {openTarget} from '../cli/open-target.ts'
import {verifyFile} from '../cli/verify-file.ts'
import {targetArgument} from '../cli/target-argument.ts'
import {printable} from '../core/printable.ts'

export default class Verify extends BaseCommand {
  static override summary = 'Compare a file with an object, without downloading it where checksums allow.'
  static override description = `Compares by the store's CRC-32 of the whole object, by its MD5, or by the ETag of its parts.
Where none of them tells, --download reads the object in ranges and compares every byte.`

  static override args = {
    file: Args.string({description: 'file of this machine', required: true, ignoreStdin: true}),
    target: Args.string({description: 'object to compare it with', required: true, ignoreStdin: true}),
  }

  static override examples = [
    '<%= config.bin %> verify build.tar s3://artifacts/nightly/build.tar',
    '<%= config.bin %> verify build.tar s3://artifacts/nightly/build.tar --receipt build.receipt.json',
    '<%= config.bin %> verify disk.img s3://images/disk.img --download',
  ]

  static override flags = {
    download: Flags.boolean({description: 'read the object and compare every byte'}),
    receipt: Flags.string({description: 'compare both with what upload --receipt wrote', helpValue: 'FILE'}),
    ...connectionFlags,
    ...stateFlags,
  }

  async run(): Promise<unknown> {
    const {flags, args} = await this.parse(Verify)
    const target = targetArgument(args.target, 'object')
    const store = await openTarget(target, {flags, config: this.config})
    const interrupts = watchInterrupts()
    try {
      const found = await verifyFile(args.file, target, store, flags, {signal: interrupts.signal})
      if (!this.jsonEnabled()) this.log(`${printable(`${args.target} is the same as ${args.file}`)}: ${found.by}.`)
      return {ok: true, ...found}
    } finally {
      interrupts.stop()
    }
  }
}

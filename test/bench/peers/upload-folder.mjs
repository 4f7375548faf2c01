// upload-folder.mjs FOLDER BUCKET PREFIX [--tuned]: the files of a folder by PutObject, 32 in flight.
import {readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {PutObjectCommand} from '@aws-sdk/client-s3'
import {createClient} from './client.mjs'

const [folder, bucket, prefix, option] = process.argv.slice(2)
const client = createClient(option === '--tuned')
const names = (await readdir(folder)).values()

async function work() {
  for (const name of names) {
    const body = await readFile(join(folder, name))
    await client.send(new PutObjectCommand({Bucket: bucket, Key: prefix + name, Body: body}))
  }
}
await Promise.all(Array.from({length: 32}, work))

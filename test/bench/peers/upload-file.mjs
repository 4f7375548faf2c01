// upload-file.mjs FILE BUCKET KEY [--tuned]: one file through lib-storage, 4 parts of 16 MiB at a time.
import {createReadStream} from 'node:fs'
import {Upload} from '@aws-sdk/lib-storage'
import {createClient} from './client.mjs'

const [file, bucket, key, option] = process.argv.slice(2)
const upload = new Upload({
  client: createClient(option === '--tuned'),
  params: {Bucket: bucket, Key: key, Body: createReadStream(file)},
  partSize: 16 * 1024 * 1024,
  queueSize: 4,
})
await upload.done()

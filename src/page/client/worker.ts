import {answerTasks} from './hash-worker.ts'

answerTasks()

/** Files that a page hands out, and tables that it takes in. */

import type { Api } from '../../shared/api'
import { CodedError } from '../../shared/protocol'
import { language } from '../../shared/text'

/** One fault of a table, by its cell; row 0 is the whole file. */
export interface TableFault {
  row: number
  column: string
  code: string
  detail_zh: string
  detail_en: string
}

/** Saves a file under a name. */
export function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}

/** Downloads what only a bearer may read. */
export async function download(path: string, token: string | null, name: string): Promise<void> {
  const headers = { Authorization: `Bearer ${token ?? ''}` }
  const response = await fetch(path, { headers, cache: 'no-store' }).catch(() => null)
  if (!response?.ok) throw new CodedError(response ? 'forbidden' : 'offline')
  save(await response.blob(), name)
}

/** Sends a table; its faults, where it has any, come back as a value. */
export async function sendTable<T>(api: Api, path: string, file: File): Promise<T | TableFault[]> {
  const form = new FormData()
  form.append('file', file)
  try {
    return await api.ask<T>('POST', path, form)
  } catch (error) {
    if (error instanceof CodedError && error.code === 'bad_table') {
      return (error.answer as { errors: TableFault[] }).errors
    }
    throw error
  }
}

/** A fault in the page's language. */
export const faultWords = (fault: TableFault): string => (language.value === 'zh' ? fault.detail_zh : fault.detail_en)

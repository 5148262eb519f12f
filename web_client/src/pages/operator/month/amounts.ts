/** Bytes of a month as people say them, and what the server tells of them. */

export interface SchoolData {
  id: string
  name: string
  media_bytes: number
  pages_bytes: number
  cap_mb: number
  allowance: 'all' | 'less' | 'sound'
}

export interface Rating {
  lesson: string
  device: string
  subject: string
  teacher_name: string
  classroom: string
  stars: 1 | 2 | 3
  at_ms: number
  present_min: number
  minutes: Record<string, number>
  concealed_ratio: number | null
  freeze_ratio: number | null
}

export interface DataView {
  month: string
  schools: SchoolData[]
  ratings: Rating[]
}

/** 1234567 -> 1.2 MB, 45678000000 -> 45.7 GB. */
export function amount(bytes: number): string {
  const [value, unit] = bytes >= 1e9 ? [bytes / 1e9, 'GB'] : [bytes / 1e6, 'MB']
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${unit}`
}
